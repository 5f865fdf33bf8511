import { listBackups } from '../backup-directory/catalog.ts';
import { readHistory } from '../backup-directory/history.ts';
import { newestGood } from '../backup-directory/newest-good.ts';
import type { Context } from '../context.ts';
import { ConnectionFailure } from '../postgres/connection-failure.ts';

/** A database that is gone, and of which there is a backup, is no typing mistake: that it can be restored is said. */
export async function orLost(error: unknown, { config }: Context): Promise<unknown> {
  if (!(error instanceof ConnectionFailure && error.code === '3D000')) return error;
  const { database } = config.connection;
  const backups = await listBackups(config.backupDir).catch(() => []);
  const history = await readHistory(config.backupDir).catch(() => []);
  const last = newestGood(backups, history, database);
  if (last === undefined) return error;
  const hint = `if it was lost, \`pratiko-backup restore\` brings it back (${last.name} is there); else ${error.hint}`;
  return new ConnectionFailure(error.message, hint, error.code);
}
