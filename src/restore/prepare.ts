import type { Server } from '../postgres/psql.ts';
import { estimateRows, surveyServer, type ServerFacts } from './server-facts.ts';
import { largerThan } from './larger-backups.ts';
import { requirePossible } from './finding.ts';
import type { RestoreChoice } from './choice.ts';
import { readDumpHeader } from './read-header.ts';
import { planRestore, type RestorePlan } from './plan.ts';
import { storedRolesOf } from './globals.ts';
import { freeBytesOf } from './disk-space.ts';
import { useAnother } from '../backup-directory/newest-good.ts';
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

export interface PrepareOptions {
  /** Removes what stands in the way on the server, before room is judged; tells whether there was any. */
  readonly makeRoom?: (facts: ServerFacts) => Promise<boolean>;
  /** What was found before, and does not change; roles were created meanwhile. */
  readonly known?: Omit<Prepared, 'plan' | 'facts'>;
}

/**
 * Collects what there is to know, before anything is done, and plans the restore.
 * @throws Failure `restoreFailed` with everything at once that stands in the way; `cannotConnect`, `storage`.
 */
export async function prepare(
  context: Context,
  server: Server,
  file: Situation['file'],
  choice: RestoreChoice,
  { makeRoom, known }: PrepareOptions = {},
): Promise<Prepared> {
  const target = context.config.connection.database;
  const found = await surveyServer(server, target);
  const isTidied = (await makeRoom?.(found)) ?? false;
  const facts = isTidied ? await surveyServer(server, target) : found;
  const explored = known ?? (await explore(context, server, file, choice, facts));
  const isPart = explored.chosen !== undefined;
  const createsRoles = choice.globals && facts.createsRoles && known === undefined;
  const situation = { ...choice, ...explored, file, facts, isPart, createsRoles };
  const plan = await planFor(context, server, scratchName, situation);
  return { ...explored, facts, plan };
}

/** What is found in the file, beside it and in the present database. */
async function explore(
  context: Context,
  server: Server,
  file: Situation['file'],
  choice: RestoreChoice,
  facts: ServerFacts,
): Promise<Omit<Prepared, 'plan' | 'facts'>> {
  const { config } = context;
  const access = readAccess(context);
  const target = config.connection.database;
  const another = await useAnother(config.backupDir, file, 'restore', target);
  const chosen = await chosenOf(context, file, choice);
  const head = await readDumpHeader(file, facts, choice, another, access, chosen);
  const stored = await storedRolesOf(file, choice.globals, access);
  const isThere = facts.target !== undefined;
  const larger = await largerThan(file, choice.fetchedFrom, context);
  const live = isThere ? await estimateRows(server, target).catch(() => undefined) : undefined;
  return { another, chosen, head, stored, live, larger };
}

/**
 * The plan for what was found.
 * @param nameOf names the database into which the dump is loaded first.
 * @throws Failure `restoreFailed` with everything at once that stands in the way.
 */
export async function planFor(
  { config, now }: Context,
  server: Server,
  nameOf: (target: string, stamp: string, nonce: string) => string,
  found: Omit<Situation, 'target' | 'scratch' | 'stamp' | 'nonce' | 'psqlVersion' | 'freeBytes'>,
): Promise<RestorePlan> {
  const target = config.connection.database;
  const { stamp, nonce } = uniqueSuffix(now());
  const plan = planRestore({
    ...found,
    target,
    scratch: nameOf(target, stamp, nonce),
    stamp,
    nonce,
    psqlVersion: server.psql.version,
    freeBytes: await freeBytesOf(found.facts.room),
  });
  requirePossible(plan);
  return plan;
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
    context.log.warn(what);
  }
  return chosen;
}
