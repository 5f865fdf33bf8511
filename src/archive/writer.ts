import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DumpInspector, type DumpContents } from '../dump/contents.ts';
import { Failure } from '../base/errors.ts';
import { dumpFailure, startPgDump } from '../postgres/pg-dump.ts';
import type { Server } from '../postgres/psql.ts';
import type { Tool } from '../postgres/tools.ts';
import { writeFailure, type Draft } from '../backup-directory/draft.ts';
import { storageFailure } from '../backup-directory/storage-failure.ts';
import { Checksum } from '../streams/checksum.ts';
import { gunzip, GzipDefect } from '../streams/gunzip.ts';
import { gzip } from '../streams/gzip.ts';
import { firstDifference } from './reader.ts';

/** Where the dump comes from. Its signal ends the writing. */
export interface DumpSource {
  readonly server: Server;
  readonly pgDump: Tool;
  readonly lockWaitTimeoutSeconds: number;
}

export interface WriteOptions {
  /** How many blocks are compressed at a time. */
  readonly jobs: number;
  /** Of plain SQL, as far as it can be guessed: for people. */
  readonly expectedBytes?: number | undefined;
  readonly onProgress?: ((progress: WriteProgress) => void) | undefined;
}

export interface WriteProgress {
  readonly phase: 'dumping' | 'verifying';
  /** Of plain SQL while dumping, of the file while verifying. */
  readonly bytes: number;
  /** How many there will be; undefined where nothing tells. */
  readonly totalBytes: number | undefined;
  readonly table: string | undefined;
}

/** What went into a draft, as it was on its way there. */
export interface Written {
  readonly contents: DumpContents;
  /** What comes out again when the file's bytes are decompressed, or why nothing does. */
  readonly decompressed: DumpContents | GzipDefect;
  readonly fileBytes: number;
  readonly sha256: string;
  readonly durationMs: number;
}

/**
 * Runs pg_dump, compresses what it gives, and writes it into a draft. What is written is
 * decompressed and read again on the way.
 * @throws Failure `dumpFailed`, `cannotConnect`, `storage`.
 */
export async function writeArchive(
  draft: Draft,
  { server, pgDump, lockWaitTimeoutSeconds }: DumpSource,
  { jobs, expectedBytes, onProgress }: WriteOptions,
): Promise<Written> {
  const { signal } = server;
  const started = performance.now();
  const inspector = new DumpInspector();
  const checksum = new Checksum();
  const dump = startPgDump(server, pgDump, lockWaitTimeoutSeconds);
  const copy = new PassThrough();
  const decompressed = decompress(copy);
  let bytes = 0;
  try {
    await pipeline(
      dump.stdout,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          for (const _ of inspector.read(chunk));
          bytes += chunk.length;
          const table = inspector.currentTable;
          onProgress?.({ phase: 'dumping', bytes, totalBytes: expectedBytes, table });
          yield chunk;
        }
        for (const _ of inspector.end());
      },
      (chunks: AsyncIterable<Buffer>) => gzip(chunks, jobs),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of checksum.through(chunks)) {
          const hasRoom = copy.destroyed || copy.write(chunk);
          await Promise.all([draft.file.writeFile(chunk), hasRoom ? undefined : roomIn(copy)]);
        }
      },
      { signal },
    );
  } catch (error) {
    copy.destroy();
    dump.kill('SIGKILL');
    await dump.ending;
    signal.throwIfAborted();
    throw await writeFailure(draft, error, checksum.bytes);
  }
  copy.end();
  const ending = await dump.ending;
  signal.throwIfAborted();
  if (ending.exitCode !== 0) throw await dumpFailure(ending, server);
  const contents = inspector.contents();
  requireWhole(contents);
  return {
    contents,
    decompressed: await decompressed,
    fileBytes: checksum.bytes,
    sha256: checksum.sha256(),
    durationMs: performance.now() - started,
  };
}

/** Waits until its reader has taken something, or wants no more. */
async function roomIn(copy: PassThrough): Promise<void> {
  const waiting = new AbortController();
  const { signal } = waiting;
  await Promise.race([once(copy, 'drain', { signal }), once(copy, 'close', { signal })]);
  waiting.abort();
}

/** A defect does not end the writing: it shows when the draft is verified. */
async function decompress(compressed: PassThrough): Promise<DumpContents | GzipDefect> {
  const inspector = new DumpInspector();
  try {
    for await (const chunk of gunzip(compressed)) for (const _ of inspector.read(chunk));
    for (const _ of inspector.end());
    return inspector.contents();
  } catch (error) {
    return error instanceof GzipDefect ? error : new GzipDefect(String(error));
  }
}

/** Of what pg_dump has ended as it ends every dump, nothing is missing, whatever we make of it. */
function requireWhole({ defect, endsLikeADump }: DumpContents): void {
  if (defect === undefined || endsLikeADump) return;
  throw new Failure('dumpFailed', `pg_dump did not write a whole dump: ${defect}`, {
    hint: 'run it again; if it stays so, look at the log of the server',
  });
}

/**
 * Reads a sealed draft back from the disk and compares it with what was written, byte for byte, and
 * what that decompresses to with what was dumped, row for row.
 * @throws Failure `verificationFailed`, `storage`.
 */
export async function verifyDraft(
  draft: Draft,
  written: Written,
  signal: AbortSignal,
  { onProgress }: Pick<WriteOptions, 'onProgress'>,
): Promise<void> {
  const checksum = new Checksum();
  try {
    const file = createReadStream(draft.path, { highWaterMark: 1024 * 1024, signal });
    for await (const _ of checksum.through(file as AsyncIterable<Buffer>)) {
      const totalBytes = written.fileBytes;
      onProgress?.({ phase: 'verifying', bytes: checksum.bytes, totalBytes, table: undefined });
    }
  } catch (error) {
    signal.throwIfAborted();
    throw storageFailure(`read ${draft.path}`, error);
  }
  const defect =
    checksum.sha256() === written.sha256
      ? contentDefect(written)
      : 'the file holds other bytes than were written';
  if (defect === undefined) return;
  throw new Failure('verificationFailed', `the new backup is not good and was removed: ${defect}`, {
    hint: 'check the disk (`dmesg`, `smartctl`) and run it again',
  });
}

function contentDefect({ contents, decompressed }: Written): string | undefined {
  if (decompressed instanceof GzipDefect) return decompressed.message;
  if (decompressed.bytes !== contents.bytes) return 'it decompresses to another length';
  if (decompressed.defect !== contents.defect) return decompressed.defect ?? 'its end is another';
  return firstDifference(decompressed.tables, contents.tables);
}
