import { readFile } from 'node:fs/promises';
import { Failure, messageOf } from '../base/errors.ts';

/** The keys in a file: one in each line, without comments. */
export const linesOf = (text: string) =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));

/**
 * @param variable names the setting that names the file.
 * @throws Failure `usage` where it cannot be read.
 */
export async function readKeyFile(path: string, variable: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Failure('usage', `cannot read the file that ${variable} names: ${messageOf(error)}`, {
      hint: 'check the path and the permissions of the file; is its disk there?',
      cause: error,
    });
  }
}
