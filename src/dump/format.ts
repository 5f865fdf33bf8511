import { mayBeProgressMessage } from './legacy/messages.ts';

/** Something that is not the plain SQL of one database. */
export interface ForeignFormat {
  /** What it is, as a clause for people. */
  readonly what: string;
  readonly hint: string;
  /** Nothing that is recognized. */
  readonly isUnknown?: true;
}

const byPgRestore =
  '`pg_restore` reads it: create a new database and run `pg_restore --dbname NEW_DATABASE FILE`';
const decompress = (tool: string) => ({
  what: `compressed with ${tool}`,
  hint: `decompress it first: \`${tool} -dc FILE > dump.sql\`, then restore dump.sql`,
});

/** How files begin (file(1), magic). */
const signatures: readonly (ForeignFormat & { readonly start: string })[] = [
  { start: 'PGDMP', what: "a dump in pg_dump's custom format", hint: byPgRestore },
  { start: 'toc.dat\0', what: "a dump in pg_dump's tar format", hint: byPgRestore },
  { start: '\x28\xb5\x2f\xfd', ...decompress('zstd') },
  { start: '\x04\x22\x4d\x18', ...decompress('lz4') },
  { start: '\xfd7zXZ\0', ...decompress('xz') },
  { start: 'BZh', ...decompress('bzip2') },
  { start: 'PK\x03\x04', what: 'a zip archive', hint: 'unpack it first: `unzip FILE`' },
  {
    start: '-----BEGIN AGE ENCRYPTED FILE-----',
    what: 'encrypted with age, as text',
    hint: 'decrypt it first: `age --decrypt -i KEY FILE > dump.sql.gz`, then restore dump.sql.gz',
  },
  ...['\xff\xfe', '\xfe\xff'].map((start) => ({
    start,
    what: "UTF-16 text, as PowerShell's `>` writes it",
    hint: 'make UTF-8 of it first: `iconv -f UTF-16 -t UTF-8 FILE > dump.sql`, then restore dump.sql',
  })),
];

const headerOfDump = /^-- PostgreSQL database dump[ \t]*\r?$/m;
const headerOfCluster = /^-- PostgreSQL database cluster dump[ \t]*\r?$/m;

const scriptOfTar: ForeignFormat = {
  what: 'the script in a dump in tar format, which reads its data from other files',
  hint: '`pg_restore` reads the tar file: create a new database and run `pg_restore --dbname NEW_DATABASE FILE`',
};

/**
 * Why decompressed text that begins like this cannot be restored as a plain dump of one database.
 * @returns undefined where it can.
 */
export function foreignFormat(head: Buffer): ForeignFormat | undefined {
  const text = head.toString('latin1');
  const known = signatures.find(({ start }) => text.startsWith(start));
  if (known !== undefined) return known;
  if (text.includes('$$PATH$$')) return scriptOfTar;
  if (headerOfCluster.test(text)) {
    return {
      what: 'a dump of all databases of a server (pg_dumpall)',
      hint: 'psql loads it into an empty server: `psql -f FILE postgres`; a restore needs the dump of one database',
    };
  }
  if (headerOfDump.test(text) || mayBeProgressMessage(head)) return undefined;
  return {
    what: `no dump by pg_dump: it begins with ${JSON.stringify(head.toString().slice(0, 40))}`,
    hint: 'give a backup, or the plain SQL that `pg_dump` writes (.sql or .sql.gz); if it is SQL by another program, `--unproven` restores it without the proof that it is whole',
    isUnknown: true,
  };
}
