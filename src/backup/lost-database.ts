import { listBackups } from '../backup-directory/catalog.ts';
import type { Context } from '../context.ts';
import { ConnectionFailure } from '../postgres/connection-failure.ts';

/** A database that is gone, and of which there is a backup, is no typing mistake: that it can be restored is said. */
export async function orLost(error: unknown, { config, repeated }: Context): Promise<unknown> {
  if (!(error instanceof ConnectionFailure && error.code === '3D000')) return error;
  const { database } = config.connection;
  const backups = await listBackups(config.backupDir).catch(() => []);
  const last = backups.findLast(({ manifest }) => manifest?.database.name === database);
  if (last === undefined) return error;
  const hint = `if it was lost, \`pratiko-backup restore${repeated.database}\` brings it back (${last.name} is there); else ${error.hint}`;
  return new ConnectionFailure(error.message, hint, error.code);
}
