import { isAvailable } from './available.ts';

/** strace(1) acts on and records system calls of real runs; it exists only on Linux. */
export const hasStrace = isAvailable(
  'strace',
  ['-V'],
  'strace is missing: faults aimed at system calls are NOT tested here',
);

/**
 * The words before a command that send it a signal at its n-th call of a system call, or fail that
 * call. strace counts by thread: all file work of the tool is put on one.
 */
export function inject(call: string, effect: string, when: number): string[] {
  // Faster, but strace then delivers no signal at a later call than the first.
  const fast = effect.startsWith('error') ? ['--seccomp-bpf'] : [];
  return [
    ...['env', 'UV_THREADPOOL_SIZE=1', 'strace', '-f', ...fast, '-qq', '-o', '/dev/null'],
    ...['-e', `trace=${call}`, '-e', `inject=${call}:${effect}:when=${when}`],
  ];
}
