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

/** Shows how far a copy has come. */
export const showCopying =
  (shell: Terminal) =>
  ({
    name,
    to,
    bytes,
    totalBytes,
    phase,
  }: {
    readonly name: string;
    readonly to: string;
    readonly bytes: number;
    readonly totalBytes: number;
    readonly phase: 'sending' | 'comparing' | 'fetching';
  }): void =>
    shell.progress(
      () => `${phase} ${formatBytes(bytes)} of ${formatBytes(totalBytes)}, ${name}, ${to}`,
    );
