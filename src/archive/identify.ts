import { Defect } from '../base/errors.ts';
import { formatCount } from '../base/format.ts';
import { foreignFormat, type ForeignFormat } from '../dump/format.ts';
import { mayBeProgressMessage } from '../dump/legacy/messages.ts';
import { gunzipHead, isGzip } from '../streams/gunzip.ts';
import type { Backup, BackupFile } from '../backup-directory/backup.ts';
import { decrypted, isNamedGzip, readFileBytes } from './plain-sql.ts';
import type { ReadAccess } from './reader.ts';

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
  { unproven, ...access }: ReadAccess & { readonly unproven: boolean },
): Promise<UnsupportedInput | undefined> {
  const { bytes, name, manifest, condition } = file;
  if (condition === 'empty') return { what: 'empty' };
  if (condition === 'otherSize' && manifest !== undefined) {
    const [now, then] = [formatCount(bytes), formatCount(manifest.fileBytes)];
    return { what: `not as it was made: it has ${now} bytes, not ${then}` };
  }
  const head = await readHead(file, access).catch(defectOf);
  if (head instanceof Defect) return { what: `damaged: ${head.message}` };
  const foreign = formatOf(head);
  if (!isGzip(head) && isNamedGzip(name) && (foreign === undefined || foreign.isUnknown)) {
    return { what: 'not gzip' };
  }
  return unproven && foreign?.isUnknown ? undefined : foreign;
}

/** What a file is that is certainly no plain dump; undefined for what may be one, or the rest of one. */
export async function identify(
  file: BackupFile,
  access: ReadAccess,
): Promise<ForeignFormat | undefined> {
  const head = await readHead(file, access).catch(defectOf);
  const foreign = head instanceof Defect ? undefined : formatOf(head);
  return foreign?.isUnknown ? undefined : foreign;
}

/** The same of a file that nothing says to be a backup, also where it is nothing that is recognized. */
export async function identifyStray(
  file: BackupFile,
  access: ReadAccess,
): Promise<ForeignFormat | undefined> {
  const head = await readHead(file, access);
  const isText = isGzip(head) ? gunzipHead(head)?.length !== 0 : !isNamedGzip(file.name);
  const foreign = formatOf(head);
  return foreign?.isUnknown && (!isText || head.length === 0) ? undefined : foreign;
}

function defectOf(error: unknown): Defect {
  if (error instanceof Defect) return error;
  throw error;
}

function formatOf(head: Buffer): ForeignFormat | undefined {
  const text = isGzip(head) ? gunzipHead(head) : head;
  return text && foreignFormat(text);
}

/** The old scripts mixed pg_dump's messages into their dumps, from the first byte on. */
export async function isByOldScript(file: Backup, access: ReadAccess): Promise<boolean> {
  if (file.encryption !== undefined) return false;
  const text = gunzipHead(await readHead(file, access));
  return text !== undefined && text.length > 0 && mayBeProgressMessage(text);
}

/**
 * The beginning of what is in a file, decrypted.
 * @throws Failure `storage`; Locked; Defect.
 */
async function readHead(file: BackupFile, { signal, keys }: ReadAccess): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of decrypted(file, readFileBytes(file, signal), keys)) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= headBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, headBytes);
}
