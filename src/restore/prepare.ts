import type { Server } from '../postgres/psql.ts';
import { estimateRows, surveyServer, type ServerFacts } from './server-facts.ts';
import { largerThan } from './larger-backups.ts';
import { requirePossible } from './finding.ts';
import type { RestoreChoice } from './choice.ts';
import { readDumpHeader } from './read-header.ts';
import { planRestore, type RestorePlan } from './plan.ts';
import { storedRolesOf } from './globals.ts';
import { freeBytesOf } from './disk-space.ts';
import { useAnother } from '../backup-directory/locate.ts';
import { scratchName, uniqueSuffix } from './scratch-mark.ts';
import { chooseFrom } from '../archive/selected-reader.ts';
import type { Choice } from '../dump/selection/choose.ts';
import type { Situation } from './situation.ts';
import { readAccess, type Context } from '../context.ts';

/** A plan, and what it was made from. */
export interface Prepared {
  readonly plan: RestorePlan;
  readonly facts: ServerFacts;
  readonly head: Situation['head'];
  /** What to do where the file is not good, for people. */
  readonly another: string;
  /** Rows of the present database. */
  readonly live: Situation['live'];
  /** What some tables need, where only that is wanted. */
  readonly chosen: Choice | undefined;
  /** The roles stored beside the file. */
  readonly stored: Situation['stored'];
  /** Older backups that hold much more. */
  readonly larger: Situation['larger'];
}

/**
 * Collects what there is to know, before anything is done, and plans the restore.
 * @param makeRoom removes what stands in the way on the server, before room is judged, and tells whether there was any.
 * @param known what was found before, and does not change.
 * @throws Failure `restoreFailed` with everything at once that stands in the way; `cannotConnect`, `storage`.
 */
export async function prepare(
  context: Context,
  server: Server,
  file: Situation['file'],
  choice: RestoreChoice,
  makeRoom?: (facts: ServerFacts) => Promise<boolean>,
  known?: Omit<Prepared, 'plan' | 'facts'>,
): Promise<Prepared> {
  const { config, now, repeated } = context;
  const access = readAccess(context);
  const target = config.connection.database;
  const found = await surveyServer(server, target);
  const isTidied = (await makeRoom?.(found)) ?? false;
  const facts = isTidied ? await surveyServer(server, target) : found;
  const another =
    known?.another ?? (await useAnother(config.backupDir, file, 'restore', target, repeated));
  const chosen = known ? known.chosen : await chosenOf(context, file, choice);
  const head = known?.head ?? (await readDumpHeader(file, facts, choice, another, access, chosen));
  const stored = known ? known.stored : await storedRolesOf(file, choice.globals, access);
  const isThere = facts.target !== undefined && known === undefined;
  const live = isThere ? await estimateRows(server, target).catch(() => undefined) : known?.live;
  const larger = known?.larger ?? (await largerThan(file, context));
  const suffix = uniqueSuffix(now());
  const plan = planRestore({
    ...choice,
    ...suffix,
    file,
    head,
    target,
    scratch: scratchName(target, suffix.stamp, suffix.nonce),
    facts,
    psqlVersion: server.psql.version,
    freeBytes: await freeBytesOf(facts.room),
    larger,
    repeated,
    live,
    isPart: chosen !== undefined,
    stored,
  });
  requirePossible(plan);
  return { plan, facts, head, another, live, larger, chosen, stored };
}

/** What some tables need, if only that is wanted; what it does without is told. */
async function chosenOf(
  context: Context,
  file: Situation['file'],
  { tables, unproven }: RestoreChoice,
): Promise<Choice | undefined> {
  if (tables === undefined) return undefined;
  const chosen = await chooseFrom(file, tables, { ...readAccess(context), unproven });
  for (const what of chosen.leftOut) {
    context.log.warn(`left out, for its table was not chosen: ${what}`);
  }
  return chosen;
}
