import { open } from 'node:fs/promises';
import { foreignFormat, type ForeignFormat } from '../dump/format.ts';
import { mayBeProgressMessage } from '../dump/legacy-messages.ts';
import { gunzipHead, gzipMagic } from '../streams/gunzip.ts';
import type { Archive } from './read.ts';

/** Enough to recognise a format, and gzip's header with a long file name in it. */
const headBytes = 8 * 1024;

const another =
  'choose another one from `pratiko-backup list`; `pratiko-backup verify --all` tells which are good';

/**
 * What the first look at a file tells, before anything is done with it.
 * @returns why it cannot be restored and what to do, or undefined: then reading all of it decides.
 */
export async function quickCheck(archive: Archive): Promise<ForeignFormat | undefined> {
  const { bytes, path, manifest } = archive;
  if (bytes === 0) return { what: 'empty', hint: another };
  if (typeof manifest === 'object' && manifest.fileBytes !== bytes) {
    const what = `not as it was: it has ${bytes} bytes, its manifest says ${manifest.fileBytes}`;
    return { what, hint: another };
  }
  const head = await readHead(path);
  const isGzip = head.subarray(0, 2).equals(gzipMagic);
  const text = isGzip ? gunzipHead(head) : head;
  const foreign = text && foreignFormat(text);
  if (!isGzip && path.endsWith('.gz') && (foreign === undefined || foreign.isUnknown)) {
    return { what: 'not gzip', hint: another };
  }
  return foreign;
}

/** The old scripts mixed pg_dump's messages into their dumps, from the first byte on. */
export async function isByOldScript({ path }: Pick<Archive, 'path'>): Promise<boolean> {
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
