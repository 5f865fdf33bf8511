import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from './cli.ts';

/** A command that waits until it is released. */
export async function waiting() {
  const go = join(await temporaryDirectory(), 'go');
  return {
    command: `sh -c 'until [ -e ${go} ]; do sleep 0.1; done'`,
    release: () => writeFile(go, ''),
  };
}
