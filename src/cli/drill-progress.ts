import { formatBytes } from '../base/format.ts';

/** How far a drill has come. */
export function describeDrill(progress: {
  readonly phase: string;
  readonly bytes: number;
  readonly totalBytes: number | undefined;
}): string {
  const { phase, bytes, totalBytes } = progress;
  const of = totalBytes === undefined ? '' : ` of ${formatBytes(totalBytes)}`;
  return `drill: ${phase} ${formatBytes(bytes)}${of}`;
}
