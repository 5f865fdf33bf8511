import { quoteIdentifier, quoteLiteral } from '../base/sql.ts';
import { blocker, warning, type Finding } from './finding.ts';
import type { ServerFacts } from './server-facts.ts';
import type { Situation } from './situation.ts';

/** Whether databases can be created. */
export function* creationFindings(facts: ServerFacts): Generator<Finding> {
  if (facts.isStandby) {
    yield blocker(
      'the server is a standby, which can only be read',
      'restore on the primary: POSTGRES_HOST and POSTGRES_PORT',
    );
  }
  if (!facts.createsDatabases) {
    yield blocker(
      `user "${facts.user}" may not create databases`,
      `as a superuser: ALTER ROLE ${quoteIdentifier(facts.user)} CREATEDB`,
    );
  }
}

/** Whether the present database can be renamed by this user. */
export function* ownershipFindings(facts: ServerFacts, target: string): Generator<Finding> {
  if (facts.target?.owned === false) {
    yield blocker(
      `user "${facts.user}" does not own database "${target}" and cannot swap it`,
      `as a superuser: ALTER DATABASE ${quoteIdentifier(target)} OWNER TO ${quoteIdentifier(facts.user)}`,
    );
  }
}

/** Some tables never take the place of a whole database. */
export function* partFindings({
  isPart,
  facts,
  target,
}: Pick<Situation, 'isPart' | 'facts' | 'target'>): Generator<Finding> {
  if (isPart && facts.target !== undefined) {
    yield blocker(
      `database "${target}" is there, and some tables never take the place of a whole one`,
      'give a name that is free (--to NEW_DATABASE); the README tells how to bring rows back from there (Some tables)',
    );
  }
}

/** Nobody can use such a database. */
export const invalidFinding = (database: string): Finding =>
  blocker(
    `database "${database}" is what an interrupted DROP DATABASE has left: nobody can use it`,
    `remove it: DROP DATABASE ${quoteIdentifier(database)}`,
  );

/** What stands in the way of renaming the present database. */
export function* swapFindings({
  target,
  facts,
  dropOld,
}: Pick<Situation, 'target' | 'facts' | 'dropOld'>): Generator<Finding> {
  const present = facts.target;
  if (present === undefined) return;
  if (present.invalid) {
    yield invalidFinding(target);
  }
  if (present.isTemplate || present.isClosed) {
    yield warning(
      `database "${target}" is ${present.isTemplate ? 'a template' : 'closed to connections'}, the new one will not be`,
      `afterwards: ALTER DATABASE ${quoteIdentifier(target)} ${present.isTemplate ? 'IS_TEMPLATE true' : 'ALLOW_CONNECTIONS false'}`,
    );
  }
  for (const gid of present.preparedTransactions) {
    yield blocker(
      `the prepared transaction '${gid}' holds database "${target}"`,
      `end it there: COMMIT PREPARED ${quoteLiteral(gid).trim()}, or ROLLBACK PREPARED`,
    );
  }
  for (const name of present.subscriptions) {
    yield blocker(
      `subscription "${name}" writes to database "${target}" and would stay with the previous one`,
      `remove it there: DROP SUBSCRIPTION ${quoteIdentifier(name)}; create it again after the restore`,
    );
  }
  for (const name of present.replicationSlots) {
    const message = `replication slot "${name}" reads database "${target}": its reader will not see the restored one`;
    const hint = `remove it: SELECT pg_drop_replication_slot(${quoteLiteral(name)})`;
    yield dropOld
      ? blocker(`${message}, and the previous one cannot be dropped`, hint)
      : warning(message, `${hint}; create it again after the restore`);
  }
  for (const { pid, user, application } of present.foreignSessions) {
    yield warning(
      `process ${pid} (user "${user}", ${application || 'unnamed'}) uses database "${target}" and may not be ended by "${facts.user}"`,
      'stop it before the restore gets to the swap, or restore as a superuser',
    );
  }
}
