import { createHash } from 'node:crypto';
import type { SourceFile } from '../destination.ts';

const partBytes = 64 * 1024 * 1024;
const maxParts = 10_000;

/** A part of a file, from one offset to another (exclusive). */
export interface Part {
  readonly from: number;
  readonly to: number;
  readonly sha256: string;
}

/**
 * The parts of a large file, each with its checksum; all of it is read for that.
 * @param wanted bytes of a part; more where there would be too many.
 */
export async function partsOf({ bytes, read }: SourceFile, wanted = partBytes): Promise<Part[]> {
  const size = Math.max(wanted, Math.ceil(bytes / maxParts));
  const parts: Part[] = [];
  let hash = createHash('sha256');
  let [from, at] = [0, 0];
  const end = () => {
    parts.push({ from, to: at, sha256: hash.digest('hex') });
    [hash, from] = [createHash('sha256'), at];
  };
  for await (const chunk of read()) {
    for (let taken = 0; taken < chunk.length;) {
      const piece = chunk.subarray(taken, taken + size - (at - from));
      hash.update(piece);
      taken += piece.length;
      at += piece.length;
      if (at - from === size) end();
    }
  }
  if (at > from) end();
  return parts;
}

/** A checksum as S3 writes it. */
export const base64 = (sha256: string) => Buffer.from(sha256, 'hex').toString('base64');

/** The checksum of an object in parts: that of their checksums, with their number. */
export function compositeOf(parts: readonly Part[]): string {
  const all = createHash('sha256');
  for (const { sha256 } of parts) all.update(Buffer.from(sha256, 'hex'));
  return `${all.digest('base64')}-${parts.length}`;
}
