import { execFileSync } from 'node:child_process';

/** Whether a program runs here; where not, what is therefore not tested is said, loudly. */
export function isAvailable(program: string, args: readonly string[], untested: string): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    console.warn(`\n*** ${untested} ***\n`);
    return false;
  }
}
