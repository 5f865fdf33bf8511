import { basename } from 'node:path';
import { decryptAll } from '../archive/plain-sql.ts';
import type { ReadAccess } from '../archive/reader.ts';
import { Failure } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { textOf } from '../base/text.ts';
import { globalsPathOf, readGlobals } from '../backup-directory/globals-file.ts';
import type { BackupFile } from '../backup-directory/backup.ts';
import { parseGlobals, type Membership, type StoredRoles } from '../dump/globals.ts';
import { execute, maintenanceOf, type Server } from '../postgres/psql.ts';
import { SqlError } from '../postgres/sql-error.ts';
import type { ServerFacts } from './server-facts.ts';

/**
 * The roles stored beside a backup.
 * @param isWanted they must be there (`--globals`).
 * @throws Failure `noSuchBackup`, `storage`.
 */
export async function storedRolesOf(
  file: BackupFile,
  isWanted: boolean,
  { keys }: ReadAccess,
): Promise<StoredRoles | undefined> {
  const path = globalsPathOf(file);
  const stored = await readGlobals(file);
  if (stored !== undefined) {
    return parseGlobals(textOf(await decryptAll(basename(path), stored, keys)));
  }
  if (!isWanted) return undefined;
  throw new Failure('noSuchBackup', `there is no ${path}`, {
    hint: 'roles are stored beside a backup where BACKUP_GLOBALS=true when it is made; without --globals, create them by hand',
  });
}

/** What a server does not have of the roles that were stored. */
export interface MissingRoles {
  /** The statements that make each role, by its name. */
  readonly roles: ReadonlyMap<string, readonly string[]>;
  readonly memberships: readonly Membership[];
}

export function missingRoles(
  { roles, memberships }: StoredRoles,
  facts: Pick<ServerFacts, 'roles' | 'memberships'>,
): MissingRoles {
  const isThere = new Set(facts.memberships.map(({ role, member }) => key(role, member)));
  return {
    roles: new Map([...roles].filter(([role]) => !facts.roles.existing.has(role))),
    memberships: memberships.filter(({ role, member }) => !isThere.has(key(role, member))),
  };
}

const key = (role: string, member: string) => JSON.stringify([role, member]);

/** What a server sees of a statement must be what was read of it. */
const asItWasRead = 'SET standard_conforming_strings = on;';

/**
 * Creates the roles and memberships that a server does not have; those that it has stay as they are. What
 * it refuses is warned of.
 */
export async function createMissingRoles(
  server: Server,
  { roles, memberships }: MissingRoles,
  log: Log,
): Promise<void> {
  const run = async (what: string, statement: string): Promise<boolean> => {
    try {
      await execute(server, maintenanceOf(server), `${asItWasRead}\n${statement}`);
      return true;
    } catch (error) {
      // Never the statement: it can hold the hash of a password.
      if (!(error instanceof SqlError)) throw error;
      log.warn(
        { hint: 'create it as a superuser, or do without' },
        `the server refused ${what}: ${error.reason}`,
      );
      return false;
    }
  };
  const created: string[] = [];
  for (const [role, statements] of roles) {
    const done: boolean[] = [];
    for (const statement of statements) done.push(await run(`a part of role "${role}"`, statement));
    if (done[0]) created.push(role);
  }
  for (const { role, member, statement } of memberships) {
    await run(`to make "${member}" a member of "${role}"`, statement);
  }
  if (created.length > 0) log.info(`created roles: ${created.join(', ')}`);
}
