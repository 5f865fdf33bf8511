import type { Context } from '../context.ts';
import { Checksum } from '../streams/checksum.ts';
import { NotTheSame, type Destination, type SourceFile } from './destination.ts';
import { withRetries } from './retry.ts';

/** Bytes sent, or read back to be compared. */
type Told = (phase: 'sending' | 'comparing', bytes: number) => void;

interface StoreOptions {
  /** What another run has left of it may be replaced: it is different each time. */
  readonly isRepeatable: boolean;
}

/**
 * Stores a file at a destination, and returns when it is known to lie there as it is.
 * @throws NotTheSame where something else lies there, or what arrived is not what was sent: then it was removed.
 */
export async function store(
  { signal, log, onStep }: Pick<Context, 'signal' | 'log' | 'onStep'>,
  destination: Destination,
  file: SourceFile,
  { isRepeatable }: StoreOptions,
): Promise<void> {
  const told: Told = (phase, bytes) => {
    const what = `${phase} ${file.name} (${destination.url})`;
    onStep({ what, bytes, totalBytes: file.bytes });
  };
  const sent: SourceFile = {
    ...file,
    read: (from, to) => counted(file.read(from, to), from ?? 0, told),
  };
  const put = () => withRetries(signal, log, () => destination.put(sent));
  const { isConfirmed, isNew } = await put().catch(async (error: unknown) => {
    if (!(error instanceof NotTheSame && isRepeatable)) throw error;
    await destination.remove(file.name);
    return put();
  });
  if (isConfirmed) return;
  const found = await withRetries(signal, log, () =>
    readBack(destination, file.name, (bytes) => told('comparing', bytes)),
  );
  if (found === file.sha256) return;
  if (isNew || isRepeatable) await destination.remove(file.name);
  throw new NotTheSame(destination.url, file.name);
}

async function* counted(
  chunks: AsyncIterable<Buffer>,
  before: number,
  told: Told,
): AsyncGenerator<Buffer> {
  let bytes = before;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    told('sending', bytes);
    yield chunk;
  }
}

/** The checksum of what lies at a destination: 64 hexadecimal digits. */
export async function readBack(
  destination: Destination,
  name: string,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const checksum = new Checksum();
  for await (const _ of checksum.through(destination.open(name))) onBytes(checksum.bytes);
  return checksum.sha256();
}
