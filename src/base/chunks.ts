/** All of a stream that is small. */
export async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

/** A stream of these bytes. */
export async function* only(bytes: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(bytes);
}

/**
 * A stream that begins with what was read of it already. Unlike a generator it can be returned before it is read: then
 * its source is.
 */
export function resume(
  read: Buffer | undefined,
  source: AsyncIterator<Buffer>,
): Required<Pick<AsyncIterableIterator<Buffer>, 'next' | 'return'>> & AsyncIterable<Buffer> {
  let first = read;
  const stream = {
    async next(): Promise<IteratorResult<Buffer>> {
      if (first === undefined) return source.next();
      const value = first;
      first = undefined;
      return { done: false, value };
    },
    async return(): Promise<IteratorResult<Buffer>> {
      await source.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => stream,
  };
  return stream;
}
