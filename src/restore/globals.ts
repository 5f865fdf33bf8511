import { z } from 'zod';
import { Failure } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { globalsPathOf, readGlobals } from '../backup-directory/globals-file.ts';
import type { BackupFile } from '../backup-directory/backup.ts';
import { parseGlobals, type StoredRoles } from '../dump/globals.ts';
import { execute, maintenanceOf, query, type Server } from '../postgres/psql.ts';
import { SqlError } from '../postgres/sql-error.ts';

/**
 * The roles stored beside a backup.
 * @param isWanted they must be there (`--globals`).
 * @throws Failure `noSuchBackup`, `storage`.
 */
export async function storedRolesOf(
  file: BackupFile,
  isWanted: boolean,
): Promise<StoredRoles | undefined> {
  const sql = await readGlobals(file);
  if (sql !== undefined) return parseGlobals(sql);
  if (!isWanted) return undefined;
  throw new Failure('noSuchBackup', `there is no ${globalsPathOf(file)}`, {
    hint: 'roles are stored beside a backup where BACKUP_GLOBALS=true when it is made; without --globals, create them by hand',
  });
}

const membershipSchema = z.object({ role: z.string(), member: z.string() });

/**
 * Creates the roles and memberships that a server does not have; those that it has stay as they are. What
 * it refuses is warned of.
 * @param existing the roles that are there.
 */
export async function createMissingRoles(
  server: Server,
  { roles, memberships }: StoredRoles,
  existing: ReadonlySet<string>,
  log: Log,
): Promise<void> {
  const run = async (what: string, statement: string) => {
    try {
      await execute(server, maintenanceOf(server), statement);
    } catch (error) {
      // Never the statement: it can hold the hash of a password.
      if (!(error instanceof SqlError)) throw error;
      log.warn(
        { hint: 'create it as a superuser, or do without' },
        `the server refused ${what}: ${error.reason}`,
      );
    }
  };
  const missing = [...roles].filter(([role]) => !existing.has(role));
  for (const [role, statements] of missing) {
    for (const statement of statements) await run(`a part of role "${role}"`, statement);
  }
  const known = await query(
    server,
    maintenanceOf(server),
    membershipSchema,
    'SELECT r.rolname AS role, m.rolname AS member FROM pg_auth_members AS a JOIN pg_roles AS r ON r.oid = a.roleid JOIN pg_roles AS m ON m.oid = a.member',
  );
  const isThere = new Set(known.map(({ role, member }) => JSON.stringify([role, member])));
  for (const { role, member, statement } of memberships) {
    if (isThere.has(JSON.stringify([role, member]))) continue;
    await run(`to make "${member}" a member of "${role}"`, statement);
  }
  if (missing.length > 0) {
    log.info(`created roles: ${missing.map(([role]) => role).join(', ')}`);
  }
}
