import { couldStopALoad, parameterStatements } from '../base/database-statements.ts';
import { decrypted, printed, shellWord } from '../base/format.ts';
import { majorVersion } from '../base/major-version.ts';
import { quoteIdentifier, quoteLiteral } from '../base/sql.ts';
import { visible } from '../base/text.ts';
import type { Backup } from './backup.ts';
import type { Manifest } from './manifest.ts';
import {
  formatBackupName,
  formatCopiedManifestName,
  formatGlobalsName,
  formatManifestName,
  type BackupName,
} from './names.ts';

/** What a database and its owner are called where their names are not told. */
const placeholder = 'aifinance';

/** How a page begins that this program has written, and may write anew. */
const mark = '<!-- written by pratiko-backup with each backup: changes are lost -->';

export const isOurs = (page: string): boolean => page.startsWith(mark);

export interface Described extends BackupName {
  readonly manifest: Manifest;
  /** The roles of the server are stored beside it. */
  readonly hasGlobals: boolean;
  /** The newest backups of other databases that lie there. */
  readonly others: readonly { readonly name: string; readonly database: string }[];
}

/** The newest backups of other databases than the one of this manifest. */
export function othersAmong(
  backups: readonly Backup[],
  { database }: Manifest,
): Described['others'] {
  const newest = new Map<string, string>();
  for (const { name, manifest } of backups) {
    if (manifest !== undefined) newest.set(manifest.database.name, name);
  }
  newest.delete(database.name);
  return [...newest].map(([other, name]) => ({ database: other, name }));
}

/**
 * How to get the data back with PostgreSQL's own programs, for whoever finds these files and not this program.
 * @param isElsewhere it lies with copies: with those that are encrypted, it names nothing of what is in them.
 */
export function recoveryPage(backup: Described, isElsewhere: boolean): string {
  const { manifest, encryption, stamp } = backup;
  const file = formatBackupName(backup);
  const isSilent = isElsewhere && encryption !== undefined;
  const known = isSilent ? undefined : manifest;
  const name = known?.database.name ?? placeholder;
  const shown = visible(quoteIdentifier(name));
  const manifestName = isElsewhere ? formatCopiedManifestName(backup) : formatManifestName(stamp);
  const major = majorVersion(manifest.serverVersion);
  const extensions = known?.extensions ?? [];
  const settings = settingsOf(known);
  return `${mark}

# How to get the data back

These files are backups of ${known === undefined ? `a PostgreSQL database (here called "${placeholder}": its name, its owner and its locale are in the manifest)` : `the PostgreSQL database ${shown}`}. Their names tell when they were made,
in local time. When this was written, the newest was \`${file}\`.
${isSilent ? '' : othersText(backup)}
With pratiko-backup, \`pratiko-backup restore\` does all of this. Without it, you need ${needed(encryption)}.
No step changes a backup. Work on a new server, or with a new database: never over one
that still holds something. All commands are for this directory.

## 1. Is the file whole?

\`\`\`bash
sha256sum ${file}
${printed(file)} | tail -n 5     # its end: PostgreSQL database dump complete
\`\`\`

The sum must be the \`"sha256"\` in \`${manifestName}\`${isSilent ? `, which is encrypted in the same way (${decrypted(manifestName)})` : ''}.
That file also tells how many rows each table holds. Are they what you expect? A backup that was made after rows were
lost is whole, too: compare it with those before. Is the sum or the end another one? Take the backup before.

## 2. A server, its roles, an empty database

Start PostgreSQL ${major} or later${extensions.length === 0 ? '' : ` with the extensions ${extensions.join(', ')}`}, and say where it is, and who its superuser:

\`\`\`bash
export PGHOST=localhost PGPORT=5432 PGUSER=postgres
export PGDATABASE=${shellWord(name)}
\`\`\`

A backup holds no passwords, and no roles. (It is no harm where one is there already.) ${rolesText(backup, isSilent)}

\`\`\`bash
${rolesCommands(backup, isSilent).join('\n')}
createdb --owner=${shellWord(known?.database.owner ?? placeholder)} --template=template0${localeOptions(manifest, isSilent)} -- "$PGDATABASE"
${settings}\`\`\`

## 3. Load it

With psql ${majorVersion(manifest.pgDumpVersion)} or later: an older one may not know all that is in the file.

\`\`\`bash
${printed(file)} | psql --no-psqlrc --quiet --output=/dev/null --set=ON_ERROR_STOP=1
psql --no-psqlrc --command=ANALYZE
\`\`\`

Does it stop at an error? Mend what it names (a role, an extension), then \`dropdb -- "$PGDATABASE"\`, and again from
\`createdb\`. At the end, compare the rows of some tables with the manifest, and give roles that log in their passwords
(\`ALTER ROLE … PASSWORD\`). What else was set for the database as a whole is in the manifest under \`"settings"\`.
`;
}

const needed = (encryption: BackupName['encryption']) =>
  encryption === undefined
    ? 'only gunzip and psql'
    : `gunzip, psql, and ${encryption} with its key`;

const othersText = ({ others }: Described) =>
  others
    .map(
      ({ name, database }) =>
        `Backups of the database ${visible(quoteIdentifier(database))} lie here, too, the newest is \`${name}\`: its manifest has its own owner and roles.\n`,
    )
    .join('');

function rolesText({ hasGlobals }: Described, isSilent: boolean): string {
  if (hasGlobals) return 'They were stored beside it:';
  return isSilent
    ? 'The manifest names those that are needed, under `"roles"`. The owner at least:'
    : 'Those that are needed, with passwords of your choice:';
}

function rolesCommands(backup: Described, isSilent: boolean): string[] {
  const { manifest, hasGlobals } = backup;
  if (hasGlobals) {
    const stored = formatGlobalsName(backup);
    return [`${decrypted(stored)} | psql --no-psqlrc --dbname=postgres`];
  }
  const { owner } = manifest.database;
  const needed = isSilent ? [] : [...(manifest.roles ?? []), ...(manifest.policyRoles ?? [])];
  // Those of PostgreSQL itself are on every server.
  const others = new Set(needed.filter((role) => role !== owner && !role.startsWith('pg_')));
  const create = (sql: string) => `psql --no-psqlrc --dbname=postgres --command=${shellWord(sql)}`;
  return [
    create(
      `CREATE ROLE ${quoteIdentifier(isSilent ? placeholder : owner)} LOGIN CREATEDB PASSWORD ${quoteLiteral('change me')}`,
    ),
    ...[...others].map((role) => create(`CREATE ROLE ${quoteIdentifier(role)}`)),
  ];
}

/** What functions may need while rows are loaded; a backup does not hold it. */
function settingsOf(manifest: Manifest | undefined): string {
  const { name = '', settings } = manifest?.database ?? {};
  const parameters = (settings?.parameters ?? []).filter((each) => !couldStopALoad(each));
  return parameterStatements(name, parameters)
    .map((sql) => `psql --no-psqlrc --command=${shellWord(sql)}\n`)
    .join('');
}

/** A server that does not know a locale says so, and what it knows. */
function localeOptions({ database }: Manifest, isSilent: boolean): string {
  const { encoding, collate, ctype, provider, locale } = database;
  if (isSilent) return ` --encoding=${shellWord(encoding)}`;
  const options = [
    ['encoding', encoding],
    ['lc-collate', collate],
    ['lc-ctype', ctype],
    ...(provider === 'libc' || locale === null
      ? []
      : [
          ['locale-provider', provider],
          [provider === 'icu' ? 'icu-locale' : 'builtin-locale', locale],
        ]),
  ];
  return options.map(([name = '', value = '']) => ` --${name}=${shellWord(value)}`).join('');
}
