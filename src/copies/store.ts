import type { Context } from '../context.ts';
import { Checksum } from '../streams/checksum.ts';
import { NotTheSame, type Destination, type SourceFile } from './destination.ts';
import { withRetries } from './retry.ts';

export interface CopyProgress {
  readonly name: string;
  readonly to: string;
  /** Bytes sent, or read back to be compared. */
  readonly bytes: number;
  readonly totalBytes: number;
  readonly phase: 'sending' | 'comparing';
}

interface StoreOptions {
  /** What another run has left of it may be replaced: it is different each time. */
  readonly isRepeatable: boolean;
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
}

/**
 * Stores a file at a destination, and returns when it is known to lie there as it is.
 * @throws NotTheSame where something else lies there, or what arrived is not what was sent: then it was removed.
 */
export async function store(
  { signal, log }: Pick<Context, 'signal' | 'log'>,
  destination: Destination,
  file: SourceFile,
  { isRepeatable, onProgress }: StoreOptions,
): Promise<void> {
  const told = (phase: CopyProgress['phase'], bytes: number) =>
    onProgress?.({ name: file.name, to: destination.url, bytes, totalBytes: file.bytes, phase });
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
  const found = await withRetries(signal, log, () => readBack(destination, file, told));
  if (found === file.sha256) return;
  if (isNew || isRepeatable) await destination.remove(file.name);
  throw new NotTheSame(destination.url, file.name);
}

async function* counted(
  chunks: AsyncIterable<Buffer>,
  before: number,
  told: (phase: 'sending', bytes: number) => void,
): AsyncGenerator<Buffer> {
  let bytes = before;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    told('sending', bytes);
    yield chunk;
  }
}

/** The checksum of what lies at a destination. */
async function readBack(
  destination: Destination,
  { name }: SourceFile,
  told: (phase: 'comparing', bytes: number) => void,
): Promise<string> {
  const checksum = new Checksum();
  for await (const _ of checksum.through(destination.open(name))) {
    told('comparing', checksum.bytes);
  }
  return checksum.sha256();
}
