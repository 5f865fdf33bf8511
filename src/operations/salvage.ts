import { randomBytes } from 'node:crypto';
import type { ReadProgress } from '../archive/read.ts';
import { OwnershipFilter, type Skipped } from '../dump/ownership.ts';
import { Replay } from '../dump/replay.ts';
import { Failure, messageOf } from '../errors.ts';
import { quoted } from '../format.ts';
import { createLike, dropScratch, salvageName } from '../postgres/scratch.ts';
import { surveyServer } from '../postgres/survey.ts';
import { majorVersion } from '../postgres/tools.ts';
import { planCarryOver } from '../recovery/carry-over.ts';
import { restoreFailure } from '../recovery/failure.ts';
import { creationFindings, requirePossible } from '../recovery/findings.ts';
import { locateDump } from '../recovery/locate-dump.ts';
import { salvageArchive, type Salvaged } from '../recovery/salvage.ts';
import { formatStamp } from '../store/names.ts';
import { configuredServer, dumpLocation, lockToRead, type Context } from './context.ts';

export interface SalvageOptions {
  /** A path, name or timestamp; undefined: the latest backup. */
  readonly file: string | undefined;
  readonly owners: boolean;
  readonly privileges: boolean;
  readonly waitSeconds: number;
  readonly onProgress?: (progress: ReadProgress) => void;
}

export interface SalvageReport extends Salvaged {
  /** The path of the file. */
  readonly path: string;
  /** The database that holds what was rescued. */
  readonly database: string;
  readonly skipped: Skipped;
}

/**
 * Loads whatever can be read of a damaged backup into a new database, which is never swapped in.
 * @throws Failure `restoreFailed` where nothing could be rescued: nothing is left on the server then.
 */
export async function salvage(context: Context, options: SalvageOptions): Promise<SalvageReport> {
  const file = await locateDump({ ...dumpLocation(context), file: options.file });
  const server = await configuredServer(context);
  const target = context.config.connection.database;
  await using _directory = await lockToRead(context, 'salvage', options.waitSeconds);
  const facts = await surveyServer(server, target);
  const database = salvageName(target, formatStamp(context.now()), randomBytes(2).toString('hex'));
  const like =
    facts.target?.description ??
    (typeof file.manifest === 'object' ? file.manifest.database : undefined);
  const carried =
    like &&
    planCarryOver({ like, scratch: database, facts, owner: options.owners, privileges: false });
  const unsafe: string[] = [];
  const replay = new Replay({
    ownership: new OwnershipFilter({ roles: facts.roles, ...options }),
    serverMajor: majorVersion(facts.version),
    onUnsafe: (message) => unsafe.push(message),
  });
  requirePossible({ findings: [...creationFindings(facts)] });
  await createLike(server, {
    name: database,
    create: carried?.create,
    anyLocale: true,
    onWarning: (message) => context.log.warn(message),
  });
  try {
    const salvaged = await salvageArchive(server, database, file, replay, options.onProgress);
    requireSomething(salvaged, file.name);
    const errors = [...unsafe.map((message) => `left out: ${message}`), ...salvaged.errors];
    return { ...salvaged, errors, path: file.path, database, skipped: replay.skipped };
  } catch (error) {
    await dropScratch(server, database).catch((failure: unknown) =>
      context.log.warn(`${quoted(database)} is left on the server: ${messageOf(failure)}`),
    );
    context.signal.throwIfAborted();
    throw restoreFailure(error);
  }
}

function requireSomething({ tables, inserted, defects }: Salvaged, name: string): void {
  if (inserted > 0 || tables.some(({ rows, state }) => rows > 0 || state === 'complete')) return;
  throw new Failure(
    'restoreFailed',
    `there is nothing to rescue in ${name}: ${defects.join('; ')}`,
    {
      hint: 'choose another one from `pratiko-backup list`; `pratiko-backup verify --all` tells which are good',
    },
  );
}
