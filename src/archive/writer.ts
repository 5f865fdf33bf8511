import { pipeline } from 'node:stream/promises';
import { DumpInspector, type DumpContents } from '../dump/contents.ts';
import { Defect, Failure } from '../base/errors.ts';
import type { OnStep } from '../base/step.ts';
import { dumpFailure, dumpWarnings } from '../postgres/dump-failure.ts';
import { startPgDump, type DumpSource } from '../postgres/pg-dump.ts';
import { ChangedTables } from './changed-tables.ts';
import { writeFailure, type Draft } from '../backup-directory/draft.ts';
import type { Encrypter } from '../encryption/keys.ts';
import { Checksum } from '../streams/checksum.ts';
import { gunzip } from '../streams/gunzip.ts';
import { gzip } from '../streams/gzip.ts';
import { Tee } from '../streams/tee.ts';

export interface WriteOptions {
  /** Encrypts what is compressed, before it is written; undefined: nothing does. */
  readonly encrypter: Encrypter | undefined;
  /** How many blocks are compressed at a time. */
  readonly jobs: number;
  /** The size of the plain SQL, as far as it can be guessed: for people. */
  readonly expectedBytes?: number | undefined;
  readonly onStep: OnStep;
}

/** What went into a draft, as it was on its way there. */
export interface Written {
  readonly contents: DumpContents;
  /** What comes out again when the compressed bytes are decompressed, or why nothing does. */
  readonly decompressed: DumpContents | Defect;
  /** What pg_dump has warned of. */
  readonly warnings: readonly string[];
  readonly fileBytes: number;
  readonly sha256: string;
  readonly durationMs: number;
}

/**
 * Runs pg_dump, compresses and encrypts what it gives, and writes it into a draft. What is compressed is
 * decompressed and read again on the way.
 * @throws Failure `dumpFailed`, `cannotConnect`, `storage`.
 */
export async function writeArchive(
  draft: Draft,
  { server, pgDump, ...how }: DumpSource,
  options: WriteOptions,
): Promise<Written> {
  const { signal } = server;
  const started = performance.now();
  const inspector = new DumpInspector();
  const checksum = new Checksum();
  const leavesRowsOut = (how.excludeTableData ?? []).length > 0;
  await using changed = await ChangedTables.watch(server, leavesRowsOut);
  const tee = new Tee();
  const decompressed = decompress(tee.copy);
  decompressed.catch(() => undefined); // told where it is awaited
  const dump = startPgDump(server, pgDump, { ...how, snapshot: changed.moment });
  try {
    await pipeline(
      dump.stdout,
      (chunks: AsyncIterable<Buffer>) => inspect(chunks, inspector, changed, options),
      (chunks: AsyncIterable<Buffer>) => gzip(chunks, options.jobs),
      (chunks: AsyncIterable<Buffer>) => encrypted(tee.through(chunks), options.encrypter),
      (chunks: AsyncIterable<Buffer>) => checksum.through(chunks),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) await draft.file.writeFile(chunk);
      },
      { signal },
    );
  } catch (error) {
    dump.kill('SIGKILL');
    await dump.ending;
    signal.throwIfAborted();
    throw await writeFailure(draft, error, checksum.bytes);
  }
  const ending = await dump.ending;
  signal.throwIfAborted();
  if (ending.exitCode !== 0) throw await dumpFailure(ending, server);
  const contents = inspector.contents();
  requireWhole(contents);
  return {
    contents,
    decompressed: await decompressed,
    warnings: dumpWarnings(ending.stderr),
    fileBytes: checksum.bytes,
    sha256: checksum.sha256(),
    durationMs: performance.now() - started,
  };
}

/** Reads what pg_dump gives on its way. */
async function* inspect(
  chunks: AsyncIterable<Buffer>,
  inspector: DumpInspector,
  changed: ChangedTables,
  { expectedBytes, onStep }: WriteOptions,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of chunks) {
    await changed.look();
    for (const token of inspector.read(chunk)) changed.check(token);
    bytes += chunk.length;
    const { currentTable: table } = inspector;
    onStep({ what: 'dumping', bytes, totalBytes: expectedBytes, isEstimate: true, table });
    yield chunk;
  }
  for (const _ of inspector.end());
}

const encrypted = (chunks: AsyncIterable<Buffer>, encrypter: Encrypter | undefined) =>
  encrypter === undefined ? chunks : encrypter.encrypt(chunks);

/** A defect does not end the writing: it shows when the draft is verified. */
async function decompress(compressed: AsyncIterable<Buffer>): Promise<DumpContents | Defect> {
  const inspector = new DumpInspector();
  try {
    for await (const chunk of gunzip(compressed)) for (const _ of inspector.read(chunk));
    for (const _ of inspector.end());
    return inspector.contents();
  } catch (error) {
    if (error instanceof Defect) return error;
    throw error;
  }
}

/** Nothing is missing of what pg_dump has ended as it ends every dump, whatever we make of it. */
function requireWhole({ defect, endsLikeADump }: DumpContents): void {
  if (defect === undefined || endsLikeADump) return;
  throw new Failure('dumpFailed', `pg_dump did not write a whole dump: ${defect}`, {
    hint: 'run it again; if it stays so, look at the log of the server',
  });
}
