import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { libpqEnvironment } from '../../src/postgres/connection.ts';
import { server } from './server.ts';

/** Makes a backup exactly as the old script made it. */
export async function oldScript(database: string, path: string): Promise<void> {
  const command = `pg_dump --format=plain --no-owner --no-acl --verbose 2>&1 | gzip > "$0"`;
  await promisify(execFile)('sh', ['-c', command, path], {
    env: libpqEnvironment(server.environment, server.connection, database),
  });
}

const header = /^-- (Data for )?Name: (.*); Type: (.*); Schema: (.*); Owner: .*\n--\n/gm;

/**
 * Puts messages into a clean dump where pg_dump 16 and later put them: what it says of an object
 * comes out at the last multiple of 4096 bytes before the place where it says it.
 */
export function pollute(dump: string): string {
  const bytes = Buffer.from(dump);
  const messages: { at: number; text: string }[] = [];
  const add = (index: number, text: string) => {
    const at = Buffer.byteLength(dump.slice(0, index));
    messages.push({ at: at - (at % 4096), text: `pg_dump: ${text}\n` });
  };
  for (const { index, 0: all, 1: data, 2: tag = '', 3: type = '', 4: schema = '' } of dump.matchAll(
    header,
  )) {
    const name = schema === '-' ? tag : `${schema}.${tag}`;
    if (data === undefined) {
      add(
        index - '--\n'.length,
        type === 'SEQUENCE SET' ? `executing ${type} ${tag}` : `creating ${type} "${name}"`,
      );
    } else if (type === 'TABLE DATA') {
      add(index + all.length, `processing data for table "${name}"`);
      add(dump.indexOf(' FROM stdin;\n', index) + 13, `dumping contents of table "${name}"`);
    }
  }
  const parts: Buffer[] = [];
  let done = 0;
  for (const { at, text } of messages) {
    parts.push(bytes.subarray(done, at), Buffer.from(text));
    done = at;
  }
  return Buffer.concat([...parts, bytes.subarray(done)]).toString();
}
