import { expect } from 'vitest';

declare module 'vitest' {
  interface Matchers<T> {
    /** The run of a process ended with this code; if not, what it said is shown. */
    toExitWith: (code: number) => T;
  }
}

interface Ended {
  readonly exitCode?: number | undefined;
  readonly stderr?: string;
}

expect.extend({
  toExitWith: ({ exitCode, stderr }: Ended, code: number) => ({
    pass: exitCode === code,
    expected: code,
    actual: exitCode,
    message: () => `expected exit code ${code}, got ${String(exitCode)}\n${stderr ?? ''}`,
  }),
});
