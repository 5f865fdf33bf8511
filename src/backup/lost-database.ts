import type { Backup } from '../backup-directory/backup.ts';
import { listBackups } from '../backup-directory/catalog.ts';
import type { Context } from '../context.ts';
import { ConnectionFailure } from '../postgres/connection-failure.ts';

/** A database that is gone, and of which there is a backup, is no typing mistake: that it can be restored is said. */
export async function orLost(error: unknown, { config }: Context): Promise<unknown> {
  if (!(error instanceof ConnectionFailure && error.code === '3D000')) return error;
  const { database } = config.connection;
  const backups = await listBackups(config.backupDir).catch(() => []);
  const last = backups.findLast(({ manifest }) => manifest?.database.name === database);
  if (last === undefined) return error;
  return new ConnectionFailure(error.message, hintOfLost(error.hint, last), error.code);
}

/** @param hint what to do where the name is the mistake. */
export const hintOfLost = (hint: string, { name }: Backup): string =>
  `if it was lost, \`pratiko-backup restore\` brings it back (${name} is there); else ${hint}`;
