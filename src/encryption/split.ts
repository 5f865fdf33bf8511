import { resume } from '../base/chunks.ts';

/**
 * Takes the beginning of a stream.
 * @param endOf where it ends in what was read so far, in bytes; undefined: not yet.
 * @param maxBytes so much is read at most to find that.
 * @returns undefined where it has no end; the stream is ended then. The rest is to be read, or returned.
 */
export async function split(
  chunks: AsyncIterable<Buffer>,
  endOf: (read: Buffer) => number | undefined,
  maxBytes: number,
): Promise<{ readonly head: Buffer; readonly rest: ReturnType<typeof resume> } | undefined> {
  const iterator = chunks[Symbol.asyncIterator]();
  let read = Buffer.alloc(0);
  while (read.length < maxBytes) {
    const next = await iterator.next();
    if (next.done) return undefined;
    read = Buffer.concat([read, next.value]);
    const end = endOf(read);
    if (end !== undefined) {
      return { head: read.subarray(0, end), rest: resume(read.subarray(end), iterator) };
    }
  }
  await iterator.return?.();
  return undefined;
}
