import { shellWord } from '../base/format.ts';
import { quoteIdentifier, quoteLiteral } from '../base/sql.ts';
import type { Manifest } from './manifest.ts';
import {
  formatBackupName,
  formatCopiedManifestName,
  formatGlobalsName,
  formatManifestName,
  type BackupName,
} from './names.ts';

/** How a page begins that this program has written, and may write anew. */
const mark = '<!-- written by pratiko-backup with each backup: changes are lost -->';

export const isOurs = (page: string): boolean => page.startsWith(mark);

export interface Described extends BackupName {
  readonly manifest: Manifest;
  /** The roles of the server are stored beside it. */
  readonly hasGlobals: boolean;
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
  const database = shellWord(known?.database.name ?? 'aifinance');
  const manifestName = isElsewhere ? formatCopiedManifestName(backup) : formatManifestName(stamp);
  const major = majorOf(manifest.serverVersion);
  const extensions = known?.extensions ?? [];
  return `${mark}

# How to get the data back

These files are backups of ${known === undefined ? 'a PostgreSQL database' : `the PostgreSQL database \`${known.database.name}\``}. Their names tell when they were made,
in local time. When this was written, the newest was \`${file}\`.

With pratiko-backup, \`pratiko-backup restore\` does all of this. Without it, you need ${needed(encryption)}.
No step changes a backup. Work on a new server, or with a new database: never over one
that still holds something. All commands are for this directory.

## 1. Is the file whole?

\`\`\`bash
sha256sum ${file}
${opened(file, encryption)} | tail -n 5     # its end: PostgreSQL database dump complete
\`\`\`

The sum must be the \`"sha256"\` in \`${manifestName}\`${isSilent ? ', which is encrypted in the same way' : ''}.
That file also tells how many rows each table holds. Is the sum or the end another one? Take the backup before.

## 2. A server, its roles, an empty database

Start PostgreSQL ${major} or later${extensions.length === 0 ? '' : ` with the extensions ${extensions.join(', ')}`}, and say where it is, and who its superuser:

\`\`\`bash
export PGHOST=localhost PGPORT=5432 PGUSER=postgres
\`\`\`

A backup holds no passwords, and no roles. ${rolesText(backup, isSilent)}

\`\`\`bash
${rolesCommands(backup, isSilent).join('\n')}
createdb --owner=${shellWord(known?.database.owner ?? 'aifinance')} --template=template0${localeOptions(known)} ${database}
\`\`\`

## 3. Load it

With psql ${majorOf(manifest.pgDumpVersion)} or later: an older one may not know all that is in the file.

\`\`\`bash
${opened(file, encryption)} | psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname=${database}
psql --no-psqlrc --dbname=${database} --command=ANALYZE
\`\`\`

Does it stop at an error? Mend what it names (a role, an extension), then \`dropdb ${database}\`, and again from
\`createdb\`. At the end, compare the rows of some tables with the manifest. What was set for the database as a whole
(\`ALTER DATABASE … SET\`) is there, too, under \`"settings"\`.
`;
}

const needed = (encryption: BackupName['encryption']) =>
  encryption === undefined
    ? 'only gunzip and psql'
    : `gunzip, psql, and ${encryption} with its key`;

function opened(file: string, encryption: BackupName['encryption']): string {
  if (encryption === undefined) return `gunzip -c ${file}`;
  const decrypted = encryption === 'age' ? 'age --decrypt -i KEY_FILE' : 'gpg --decrypt';
  return `${decrypted} ${file} | gunzip -c`;
}

const majorOf = (version: string) => /^\d+/.exec(version)?.[0] ?? version;

function rolesText({ hasGlobals }: Described, isSilent: boolean): string {
  if (hasGlobals) return 'They were stored beside it (some may be there already):';
  return isSilent
    ? 'The manifest names those that are needed, under `"roles"`. The owner at least:'
    : 'Those that are needed, with passwords of your choice:';
}

function rolesCommands(backup: Described, isSilent: boolean): string[] {
  const { manifest, hasGlobals, encryption } = backup;
  if (hasGlobals) {
    const stored = formatGlobalsName(backup);
    const plain =
      encryption === undefined ? `cat ${stored}` : opened(stored, encryption).replace(/ \|.*/, '');
    return [`${plain} | psql --no-psqlrc --dbname=postgres`];
  }
  const { owner, name } = manifest.database;
  const needed = isSilent ? [] : [...(manifest.roles ?? []), ...(manifest.policyRoles ?? [])];
  const others = new Set(needed.filter((role) => role !== owner));
  const create = (sql: string) => `psql --no-psqlrc --dbname=postgres --command=${shellWord(sql)}`;
  return [
    create(
      `CREATE ROLE ${quoteIdentifier(isSilent ? name : owner)} LOGIN CREATEDB PASSWORD ${quoteLiteral('change me')}`,
    ),
    ...[...others].map((role) => create(`CREATE ROLE ${quoteIdentifier(role)}`)),
  ];
}

/** A server that does not know a locale says so, and what it knows. */
function localeOptions(manifest: Manifest | undefined): string {
  if (manifest === undefined) return '';
  const { encoding, collate, ctype, provider, locale } = manifest.database;
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
