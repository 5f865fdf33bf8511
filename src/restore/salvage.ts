import type { Skipped } from '../dump/role-filter.ts';
import { Failure } from '../base/errors.ts';
import { RestoreLock } from './lock.ts';
import { ScratchDatabase } from './scratch.ts';
import { salvageName, uniqueSuffix } from './scratch-mark.ts';
import { surveyServer } from './server-facts.ts';
import { rescuedComment } from '../postgres/previous.ts';
import { createReplayFilter } from './replay.ts';
import { planCreation } from './database-properties.ts';
import { restoreFailure } from './failure.ts';
import { requirePossible, type Finding } from './finding.ts';
import { creationFindings } from './swap-findings.ts';
import { locateDump, requireIdentified } from './locate-dump.ts';
import { salvageArchive, type Salvaged } from './load/damaged.ts';
import { contactedServer, lockToRead, readAccess, type Context } from '../context.ts';

export interface SalvageOptions {
  /** A path, name or timestamp; undefined: the latest backup. */
  readonly file: string | undefined;
  readonly owners: boolean;
  readonly privileges: boolean;
  readonly waitSeconds: number;
}

export interface SalvageReport extends Salvaged {
  /** The path of the file. */
  readonly path: string;
  /** The database that holds what was rescued. */
  readonly database: string;
  /** About roles that are not here. */
  readonly skipped: Skipped;
  /** What reaches outside the database, each a clause. */
  readonly leftOut: readonly string[];
  /** What the database could not be like. */
  readonly findings: readonly Finding[];
}

/**
 * Loads whatever can be read of a damaged backup into a new database, which is never swapped in.
 * @throws Failure `restoreFailed` where nothing could be rescued: nothing is left on the server then.
 */
export async function salvage(context: Context, options: SalvageOptions): Promise<SalvageReport> {
  const { config, log, signal } = context;
  const file = await locateDump(context, options.file);
  await requireIdentified(context, file);
  await using server = await contactedServer(context);
  const target = config.connection.database;
  await using _directory = await lockToRead(context, 'salvage', options.waitSeconds);
  const facts = await surveyServer(server, target);
  const { stamp, nonce } = uniqueSuffix(context.now());
  const database = salvageName(target, stamp, nonce);
  const like = facts.target?.description ?? file.manifest?.database;
  const creation = like && planCreation({ like, facts, owner: options.owners });
  requirePossible({ findings: [...creationFindings(facts)] });
  await using _scratch = await RestoreLock.ofScratch(server, database);
  const leftOut: string[] = [];
  const replay = createReplayFilter(facts, options, (message) => leftOut.push(message));
  try {
    await using scratch = await ScratchDatabase.create(server, log, {
      name: database,
      create: creation?.create,
      anyLocale: true,
      settings: [],
    });
    const salvaged = await salvageArchive(server, database, file, replay, {
      ...readAccess(context),
      what: 'rescuing',
    });
    requireSomething(salvaged, file.name);
    await scratch.keep(rescuedComment(file.name));
    const { skipped } = replay;
    const findings = creation?.findings ?? [];
    return { ...salvaged, path: file.path, database, skipped, leftOut, findings };
  } catch (error) {
    signal.throwIfAborted();
    throw restoreFailure(error);
  }
}

function requireSomething({ tables, largeObjects, defects }: Salvaged, name: string): void {
  if (largeObjects > 0) return;
  if (tables.some(({ rows, state }) => rows > 0 || state === 'complete')) return;
  throw new Failure(
    'restoreFailed',
    `there is nothing to rescue in ${name}: ${defects.join('; ')}`,
    {
      hint: 'choose another one from `pratiko-backup list`; `pratiko-backup verify --all` tells which are good',
    },
  );
}
