import { formatNames } from '../base/format.ts';
import { quoteIdentifier } from '../base/sql.ts';
import type { Manifest } from '../backup-directory/manifest.ts';
import type { Context } from '../context.ts';
import type { ServerFacts } from '../restore/server-facts.ts';
import { failed, ok, warning, type Check } from './check.ts';

/** What a restore needs of the server. */
export function restoreChecks(
  facts: ServerFacts,
  { config }: Context,
  last: Manifest | undefined,
): Check[] {
  const { database, user } = config.connection;
  const isOffered = (name: string) =>
    facts.extensions.some((extension) => extension.name === name && extension.creatable);
  const extensions = (last?.extensions ?? []).filter((name) => !isOffered(name));
  const roles = (last?.roles ?? []).filter((role) => !facts.roles.existing.has(role));
  return [
    creationCheck(facts, user),
    ...(facts.target?.owned === false
      ? [
          failed(
            'restore',
            `"${user}" does not own "${database}" and cannot replace it`,
            `as a superuser: ALTER DATABASE ${quoteIdentifier(database)} OWNER TO ${quoteIdentifier(user)}`,
          ),
        ]
      : []),
    ...(last === undefined
      ? []
      : [
          extensions.length === 0
            ? ok('extensions', 'the server has those of the last backup')
            : failed(
                'extensions',
                `the last backup needs what the server does not offer to "${user}": ${formatNames(extensions, 3)}`,
                'install them on the server (pgvector: package postgresql-NN-pgvector), or connect as a superuser',
              ),
          roles.length === 0
            ? ok('roles', 'the server has those of the last backup')
            : warning(
                'roles',
                `the last backup needs roles that the server does not have: ${formatNames(roles, 3)}`,
                'create them before a restore; BACKUP_GLOBALS=true stores them, and `restore --globals` creates them',
              ),
        ]),
  ];
}

function creationCheck({ isStandby, createsDatabases }: ServerFacts, user: string): Check {
  if (isStandby) {
    return warning(
      'restore',
      'the server is a standby: backups of it work, restores and drills do not',
      'restore on the primary; `verify --restore --sandbox` proves backups without a server',
    );
  }
  if (createsDatabases) {
    return ok('restore', `"${user}" may create databases, for restores and drills`);
  }
  return failed(
    'restore',
    `"${user}" may not create databases: no restore, no drill`,
    `as a superuser: ALTER ROLE ${quoteIdentifier(user)} CREATEDB`,
  );
}
