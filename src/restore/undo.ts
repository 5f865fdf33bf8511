import { psqlCommand } from '../config/place.ts';
import { Failure } from '../base/errors.ts';
import type { Server } from '../postgres/psql.ts';
import { RestoreLock } from './lock.ts';
import { surveyServer } from './server-facts.ts';
import { restoreFailure, throwIfInterrupted } from './failure.ts';
import { requirePossible, requireSame } from './finding.ts';
import { planUndo, type UndoPlan } from './undo-plan.ts';
import { swapDatabases } from './swap.ts';
import { uniqueSuffix } from './scratch-mark.ts';
import { contactedServer, type Context } from '../context.ts';
import { requireOwnDatabase } from './target.ts';

export interface UndoOptions {
  readonly waitSeconds: number;
  /** Asks the person; throws where the answer is not yes. */
  readonly confirm: (plan: UndoPlan) => Promise<void>;
}

/**
 * Says what `undoRestore` would do; changes nothing.
 * @throws Failure `noSuchBackup` where there is nothing to go back to; `restoreFailed` with
 *   everything at once that stands in the way; `cannotConnect`.
 */
export async function previewUndo(context: Context): Promise<UndoPlan> {
  requireOwnDatabase(context);
  await using server = await contactedServer(context);
  return await plan(context, server);
}

/**
 * Takes a restore back: the database that it replaced last gets its name again, and the restored
 * one is kept in its place.
 * @throws what `previewUndo` throws, and `locked`; nothing has changed then.
 */
export async function undoRestore(
  context: Context,
  { waitSeconds, confirm }: UndoOptions,
): Promise<UndoPlan> {
  requireOwnDatabase(context);
  await using server = await contactedServer(context);
  const proposed = await plan(context, server);
  await confirm(proposed);
  await using _lock = await RestoreLock.acquire(server, proposed.target, waitSeconds);
  const undo = await plan(context, server); // things may have changed meanwhile
  requireSame(undo.returning.name, proposed.returning.name, undo.target);
  try {
    await swapDatabases(server, {
      ...undo,
      scratch: undo.returning.name,
      comment: undo.returning.comment,
    });
  } catch (error) {
    throwIfInterrupted(error, context);
    throw restoreFailure(error);
  }
  return undo;
}

async function plan({ config, now }: Context, server: Server): Promise<UndoPlan> {
  const target = config.connection.database;
  const facts = await surveyServer(server, target);
  const undo = planUndo({ target, facts, ...uniqueSuffix(now()) });
  if (undo === undefined) {
    throw new Failure('noSuchBackup', `no restore has kept a previous database of "${target}"`, {
      hint: `\`${psqlCommand(config.connection)} --list\` shows the databases of the server; the backups are all still there: \`pratiko-backup list\``,
    });
  }
  requirePossible(undo);
  return undo;
}
