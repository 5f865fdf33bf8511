import { open } from 'node:fs/promises';
import { formatCount } from '../base/format.ts';
import { foreignFormat, type ForeignFormat } from '../dump/format.ts';
import { mayBeProgressMessage } from '../dump/legacy/messages.ts';
import { gunzipHead, isGzip } from '../streams/gunzip.ts';
import type { BackupFile } from '../backup-directory/backup.ts';

/** Enough to identify a format, and gzip's header with a long file name in it. */
const headBytes = 8 * 1024;

/** Why a file cannot be restored; without a hint where another backup is what helps. */
export type UnsupportedInput = Omit<ForeignFormat, 'hint'> & { readonly hint?: string };

/**
 * What the first look at a file tells, before anything is done with it.
 * @returns why it cannot be restored and what to do, or undefined: then reading all of it decides.
 */
export async function findUnsupported(
  file: BackupFile,
  { unproven }: { readonly unproven: boolean },
): Promise<UnsupportedInput | undefined> {
  const { bytes, path, manifest, condition } = file;
  if (condition === 'empty') return { what: 'empty' };
  if (condition === 'otherSize' && manifest !== undefined) {
    const [now, then] = [formatCount(bytes), formatCount(manifest.fileBytes)];
    return { what: `not as it was made: it has ${now} bytes, not ${then}` };
  }
  const head = await readHead(path);
  const foreign = formatOf(head);
  if (!isGzip(head) && path.endsWith('.gz') && (foreign === undefined || foreign.isUnknown)) {
    return { what: 'not gzip' };
  }
  return unproven && foreign?.isUnknown ? undefined : foreign;
}

/** What a file is that is certainly no plain dump; undefined for what may be one, or the rest of one. */
export async function identify({
  path,
}: Pick<BackupFile, 'path'>): Promise<ForeignFormat | undefined> {
  const foreign = formatOf(await readHead(path));
  return foreign?.isUnknown ? undefined : foreign;
}

/** The same of a file that nothing says to be a backup, also where it is nothing that is recognized. */
export async function identifyStray({ path }: BackupFile): Promise<ForeignFormat | undefined> {
  const head = await readHead(path);
  const isText = isGzip(head) ? gunzipHead(head)?.length !== 0 : !path.endsWith('.gz');
  const foreign = formatOf(head);
  return foreign?.isUnknown && (!isText || head.length === 0) ? undefined : foreign;
}

function formatOf(head: Buffer): ForeignFormat | undefined {
  const text = isGzip(head) ? gunzipHead(head) : head;
  return text && foreignFormat(text);
}

/** The old scripts mixed pg_dump's messages into their dumps, from the first byte on. */
export async function isByOldScript({ path }: Pick<BackupFile, 'path'>): Promise<boolean> {
  const text = gunzipHead(await readHead(path));
  return text !== undefined && text.length > 0 && mayBeProgressMessage(text);
}

async function readHead(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
