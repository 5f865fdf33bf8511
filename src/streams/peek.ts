import { resume } from '../base/chunks.ts';

/**
 * Looks at the first chunk of a stream.
 * @returns that chunk, undefined where there is none, and the whole stream: to be read, or returned.
 */
export async function peek(chunks: AsyncIterable<Buffer>): Promise<{
  readonly first: Buffer | undefined;
  readonly whole: ReturnType<typeof resume>;
}> {
  const iterator = chunks[Symbol.asyncIterator]();
  const next = await iterator.next();
  const first = next.done ? undefined : next.value;
  return { first, whole: resume(first, iterator) };
}
