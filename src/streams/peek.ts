/**
 * Looks at the first chunk of a stream.
 * @returns that chunk, undefined where there is none, and the whole stream: to be read, or returned.
 */
export async function peek(
  chunks: AsyncIterable<Buffer>,
): Promise<{ readonly first: Buffer | undefined; readonly whole: AsyncGenerator<Buffer> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first = await iterator.next();
  const whole = async function* () {
    try {
      if (!first.done) yield first.value;
      yield* { [Symbol.asyncIterator]: () => iterator };
    } finally {
      await iterator.return?.();
    }
  };
  return { first: first.done ? undefined : first.value, whole: whole() };
}
