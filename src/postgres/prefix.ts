import { constants, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { exists } from '../base/exists.ts';

/** A command that is put before the programs of PostgreSQL, so that they run where the server is. */
export interface Prefix {
  readonly words: readonly [string, ...string[]];
  /** Its own environment, on this machine. */
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** How long the other end may take until a `sh` answers. */
  readonly answerSeconds: number;
  /** The server could not be asked to end a session: it may be at work there still. */
  readonly onUnended: (session: string) => void;
  /** Where the programs are at the other end; undefined: on PATH there. */
  readonly binDir: string | undefined;
}

/** What to call a program there. */
export const programAt = ({ binDir }: Prefix, name: string): string =>
  binDir === undefined ? name : join(binDir, name);

/** Whether a word is a program on this machine, for a command that is run in a directory. */
export async function isCommand(
  file: string,
  { environment, cwd }: Pick<Prefix, 'environment' | 'cwd'>,
): Promise<boolean> {
  const places = file.includes('/') ? [cwd] : (environment.PATH ?? '').split(delimiter);
  for (const place of places) {
    const path = resolve(place, file);
    const isFile = (await stat(path).catch(() => undefined))?.isFile() === true;
    if (isFile && (await exists(path, constants.X_OK))) return true;
  }
  return false;
}
