import { quoteIdentifier } from '../base/sql.ts';
import { formatPlural, printed, shellWord } from '../base/format.ts';
import { describeLoss } from '../backup-directory/loss.ts';
import { canBeRestricted } from '../postgres/restriction.ts';
import { majorVersion } from '../base/major-version.ts';
import { blocker, warning, type Finding } from './finding.ts';
import type { Situation } from './situation.ts';

/** `BEGIN ATOMIC` came with 14: an older psql ends statements inside such bodies. */
const knowsBodies = 14;

/** Versions that may not fit. */
export function* versionFindings({ head, facts, psqlVersion }: Situation): Generator<Finding> {
  const { serverVersion } = head;
  if (serverVersion !== undefined && majorVersion(serverVersion) > majorVersion(facts.version)) {
    yield warning(
      `the dump is of PostgreSQL ${serverVersion}, this server is ${facts.version}: it may refuse it`,
      `restore into a server of version ${majorVersion(serverVersion)} or later`,
    );
  }
  const [psql, server] = [psqlVersion, facts.version].map(majorVersion);
  const client = (major: number) =>
    `install a newer client (\`postgresql-client-${major}\`) or set PG_BIN_DIR to it`;
  if (head.hasAtomicBodies && psql !== undefined && psql < knowsBodies) {
    yield blocker(
      `psql ${psqlVersion} cannot read functions of the dump (BEGIN ATOMIC)`,
      client(Math.max(knowsBodies, server ?? 0)),
    );
  } else if (psql !== undefined && server !== undefined && psql < server) {
    yield warning(
      `psql ${psqlVersion} is older than the server (${facts.version})`,
      client(server),
    );
  }
  if (!canBeRestricted(psqlVersion)) {
    yield warning(
      `psql ${psqlVersion} cannot be restricted: a dump with commands for psql is refused as a whole`,
      'update the PostgreSQL client to a release of August 2025 or later',
    );
  }
}

/** What the file is. */
export function* fileFindings({ file, head }: Situation): Generator<Finding> {
  const notUnderstood = file.manifest?.notUnderstood;
  if (notUnderstood !== undefined) {
    yield blocker(
      `the backup is whole, but this tool does not understand it (${notUnderstood})`,
      `try with psql, into a new database: ${printed(file.path)} | psql -v ON_ERROR_STOP=1 -d NEW_DATABASE`,
    );
  }
  if (head.isPart === 'data') {
    yield blocker(
      'the dump holds rows only, and no definitions of tables (pg_dump --data-only)',
      'restore a dump with the definitions; this one can be loaded into tables that are there: psql --single-transaction -f FILE DATABASE',
    );
  }
  if (head.isPart === 'postData') {
    yield blocker(
      'the dump holds only what comes after the rows: indexes, constraints (pg_dump --section=post-data)',
      'restore the whole dump, or load its sections into one new database with psql, in order',
    );
  }
  if (head.unproven !== undefined) {
    yield warning(
      `nothing proves that the file is whole: ${head.unproven} (--unproven)`,
      'that nothing is missing at its end could not be checked: look at the last rows when it is restored',
    );
  }
}

/** Extensions that work in one database of a server, whose name the server's settings tell. */
const boundToAName: readonly string[] = ['pg_cron'];

/** Extensions of the dump that cannot be created here. */
export function* extensionFindings({ head, facts, skipRefused }: Situation): Generator<Finding> {
  const inTheWay = skipRefused ? warning : blocker;
  for (const name of head.extensions) {
    if (boundToAName.includes(name)) {
      const message = `extension "${name}" works only in the database that the server's settings name (cron.database_name), not in a new one beside it`;
      const hint =
        '`restore --skip-refused` restores everything else; back up without it (DROP EXTENSION there), or restore the file by hand into that database';
      yield inTheWay(message, hint);
      continue;
    }
    const offered = facts.extensions.find((extension) => extension.name === name);
    if (offered === undefined) {
      const message = `the dump needs extension "${name}", which this server does not offer`;
      const hint = packageOf(name, majorVersion(facts.version));
      yield inTheWay(message, hint);
    } else if (!offered.creatable) {
      const message = `the dump needs extension "${name}", which only a superuser may create`;
      const hint = 'restore as a superuser (POSTGRES_USER)';
      yield inTheWay(message, hint);
    }
  }
}

/** Tablespaces in which the dump creates tables. */
export function* tablespaceFindings({ head, facts, skipRefused }: Situation): Generator<Finding> {
  const inTheWay = skipRefused ? warning : blocker;
  for (const name of head.tablespaces) {
    if (facts.tablespaces.some((other) => other.name === name && other.usable)) continue;
    yield inTheWay(
      `the dump puts tables into tablespace "${name}", which does not exist here or may not be used`,
      `create it: CREATE TABLESPACE ${quoteIdentifier(name)} LOCATION '/a/directory/of/the/server'`,
    );
  }
}

function packageOf(extension: string, major: number): string {
  if (extension === 'vector') {
    return `install pgvector on the server: package postgresql-${major}-pgvector, or the image pgvector/pgvector:pg${major}`;
  }
  return `install it on the server: usually package postgresql-contrib or postgresql-${major}-${extension}`;
}

/** Whether it is what a person wants back. */
export function* contentFindings({ larger, facts, target }: Situation): Generator<Finding> {
  for (const { backup, losses } of larger) {
    const { name, stamp, url } = backup;
    const which = url === undefined ? stamp : shellWord(`${url}/${name}`);
    const all = losses.find(({ of }) => of === 'rows');
    yield warning(
      all
        ? `an older backup holds much more: ${name} has ${formatPlural(all.held, 'row')}`
        : `an older backup holds what this one lacks: ${describeLoss('this one', name, losses)}`,
      `to look at that one, in a database beside: \`pratiko-backup restore ${which} --to NEW_DATABASE\``,
    );
  }
  const kept = facts.previous.findLast((previous) => previous.target === target);
  if (facts.target === undefined && kept !== undefined) {
    yield warning(
      `database "${kept.name}" is what "${target}" was before it was last restored`,
      'to have that back: `pratiko-backup restore --undo`',
    );
  }
}
