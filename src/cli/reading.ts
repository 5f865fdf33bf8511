import { formatBytes } from '../base/format.ts';
import type { Terminal } from './terminal.ts';

/** Shows how far a file is read. */
export const showReading =
  (shell: Terminal) =>
  (
    name: string,
    { readBytes, totalBytes }: { readonly readBytes: number; readonly totalBytes: number },
  ): void =>
    shell.progress(() => `reading ${name} ${formatBytes(readBytes)} of ${formatBytes(totalBytes)}`);
