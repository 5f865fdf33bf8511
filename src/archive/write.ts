import { pipeline } from 'node:stream/promises';
import { DumpInspector, type DumpContents } from '../dump/contents.ts';
import { Failure } from '../errors.ts';
import { dumpFailure, startPgDump } from '../postgres/pg-dump.ts';
import type { Server } from '../postgres/psql.ts';
import type { Tool } from '../postgres/tools.ts';
import { writeFailure, type Draft } from '../store/draft.ts';
import { Checksum } from '../streams/checksum.ts';
import { gzip } from '../streams/gzip.ts';
import { checkArchive, firstDifference } from './read.ts';

/** Where the dump comes from. Its signal ends the writing. */
export interface DumpSource {
  readonly server: Server;
  readonly pgDump: Tool;
  readonly lockWaitTimeoutSeconds: number;
}

export interface WriteProgress {
  readonly phase: 'dumping' | 'verifying';
  /** Of plain SQL while dumping, of the file while verifying. */
  readonly bytes: number;
  readonly table: string | undefined;
}

type OnProgress = ((progress: WriteProgress) => void) | undefined;

/** What went into a draft, as it was on its way there. */
export interface Written {
  readonly contents: DumpContents;
  readonly fileBytes: number;
  readonly sha256: string;
  readonly durationMs: number;
}

/**
 * Runs pg_dump, compresses what it gives, and writes it into a draft.
 * @throws Failure `dumpFailed`, `cannotConnect`, `storage`.
 */
export async function writeArchive(
  draft: Draft,
  { server, pgDump, lockWaitTimeoutSeconds }: DumpSource,
  onProgress: OnProgress,
): Promise<Written> {
  const { signal } = server;
  const started = performance.now();
  const inspector = new DumpInspector();
  const checksum = new Checksum();
  const dump = startPgDump(server, pgDump, lockWaitTimeoutSeconds);
  let bytes = 0;
  try {
    await pipeline(
      dump.stdout,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          for (const _ of inspector.read(chunk));
          bytes += chunk.length;
          onProgress?.({ phase: 'dumping', bytes, table: inspector.currentTable });
          yield chunk;
        }
        for (const _ of inspector.end());
      },
      gzip(),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of checksum.through(chunks)) await draft.file.writeFile(chunk);
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
  if (ending.exitCode !== 0) throw dumpFailure(ending, server);
  const contents = inspector.contents();
  requireWhole(contents);
  return {
    contents,
    fileBytes: checksum.bytes,
    sha256: checksum.sha256(),
    durationMs: performance.now() - started,
  };
}

function requireWhole({ defect }: DumpContents): void {
  if (defect === undefined) return;
  throw new Failure('dumpFailed', `pg_dump did not write a whole dump: ${defect}`, {
    hint: 'run it again; if it stays so, look at the log of the server',
  });
}

/**
 * Reads a sealed draft back and compares it with what was written, byte for byte and row for row.
 * @throws Failure `verificationFailed`, `storage`.
 */
export async function verifyDraft(
  draft: Draft,
  written: Written,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<void> {
  const report = await checkArchive(
    { path: draft.path, bytes: written.fileBytes, manifest: undefined },
    {
      signal,
      onProgress: ({ readBytes, table }) =>
        onProgress?.({ phase: 'verifying', bytes: readBytes, table }),
    },
  );
  const sameBytes = report.sha256 === written.sha256;
  const defect =
    report.defects[0] ??
    (sameBytes ? undefined : 'the file holds other bytes than were written') ??
    firstDifference(report.contents.tables, written.contents.tables);
  if (defect === undefined) return;
  throw new Failure('verificationFailed', `the new backup is not good and was removed: ${defect}`, {
    hint: 'check the disk (`dmesg`, `smartctl`) and run it again',
  });
}
