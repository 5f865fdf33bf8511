/**
 * Takes the beginning of a stream.
 * @param endOf where it ends in what was read so far, in bytes; undefined: not yet.
 * @param maxBytes so much is read at most to find that.
 * @returns undefined where it has no end; the stream is ended then.
 */
export async function split(
  chunks: AsyncIterable<Buffer>,
  endOf: (read: Buffer) => number | undefined,
  maxBytes: number,
): Promise<{ readonly head: Buffer; readonly rest: AsyncGenerator<Buffer> } | undefined> {
  const iterator = chunks[Symbol.asyncIterator]();
  let read = Buffer.alloc(0);
  while (read.length < maxBytes) {
    const next = await iterator.next();
    if (next.done) return undefined;
    read = Buffer.concat([read, next.value]);
    const end = endOf(read);
    if (end !== undefined) {
      return { head: read.subarray(0, end), rest: rest(read.subarray(end), iterator) };
    }
  }
  await iterator.return?.();
  return undefined;
}

async function* rest(first: Buffer, iterator: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield first;
    yield* { [Symbol.asyncIterator]: () => iterator };
  } finally {
    await iterator.return?.();
  }
}
