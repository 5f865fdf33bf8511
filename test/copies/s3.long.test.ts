import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { S3Destination } from '../../src/copies/destinations/s3.ts';
import { withRetries } from '../../src/copies/retry.ts';
import { installation, runTool, type Run } from '../support/cli.ts';
import { ageKeys } from '../support/keys.ts';
import { secretKey, startS3, type Fault, type S3Request } from '../support/s3.ts';
import { killGroup, launch } from '../support/launch.ts';
import { sql, temporaryDatabase } from '../support/server.ts';

const rows = 'CREATE TABLE t AS SELECT g AS a, md5(g::text) AS b FROM generate_series(1, 20000) g;';

async function withS3(options: { checks?: boolean } = {}) {
  const s3 = await startS3(options);
  const database = await temporaryDatabase(rows);
  const tool = await installation(database);
  const run = (args: string[], env: Record<string, string> = {}) =>
    tool.run(args, { env: { ...s3.env, ...env } });
  return { ...tool, s3, database, run };
}

const sqlFile = ({ path }: S3Request) => /\.sql\.gz(?:\.age)?$/.test(path);
const isDump = ({ name }: { name: string }) => /^pratiko_backup_2.*\.sql\.gz(?:\.age)?$/.test(name);
const newest = async (directory: string) =>
  (await readdir(directory))
    .filter((name) => isDump({ name }))
    .sort()
    .at(-1) ?? '';

function expectQuiet({ stdout, stderr }: Run): void {
  expect(stdout + stderr).not.toContain(secretKey);
  expect(stderr).not.toMatch(/NodeVersionSupport|Warning:|streaming request/);
}

describe('a backup is copied with its manifest', () => {
  test('a server that checks is asked for size and checksum', async () => {
    const { s3, run, directory } = await withS3({ checks: true });
    const made = await run(['backup']);
    expect(made).toExitWith(0);
    expectQuiet(made);
    const name = await newest(directory);
    expect(await s3.names()).toEqual([name.replace('.sql.gz', '.manifest.json'), name]);
    expect((await s3.get(name)).equals(await readFile(join(directory, name)))).toBe(true);
    expect(
      s3.requests.filter(({ method, path }) => method === 'GET' && path.endsWith('.gz')),
    ).toEqual([]);
    const listed = await run(['list', '--json']);
    expect(listed.stdout).toContain('"copies":["s3://bucket/prefix"]');
    expect((await run(['status'])).stdout).toContain('s3://bucket/prefix: all there');
    expect((await run(['copy'])).stdout).toBe('every good backup is there already');
  });

  test('from one that tells nothing it is read back', async () => {
    const { s3, run } = await withS3();
    expect(await run(['backup'])).toExitWith(0);
    const read = s3.requests.filter((each) => each.method === 'GET' && sqlFile(each));
    expect(read).toHaveLength(1);
  });

  test('of an encrypted one, nothing can be read there but names and sizes', async () => {
    const { s3, run } = await withS3();
    const { toEncrypt } = await ageKeys();
    expect(await run(['backup'], { ...toEncrypt, BACKUP_GLOBALS: 'true' })).toExitWith(0);
    const names = await s3.names();
    expect(names).toHaveLength(3);
    for (const name of names) {
      expect(name).toMatch(/\.age$/);
      expect((await s3.get(name)).toString('latin1')).toMatch(/^age-encryption\.org\/v1\n/);
    }
  });
});

test('nothing that is there is written over', async () => {
  for (const checks of [true, false]) {
    const { s3, run, directory } = await withS3({ checks });
    expect(await run(['backup'], { OFFSITE_URL: '' })).toExitWith(0);
    const name = await newest(directory);
    await s3.put(name, Buffer.from('of somebody else'));
    const copied = await run(['copy']);
    expect(copied).toExitWith(3);
    expect(copied.stderr).toContain('is not this file');
    expect((await s3.get(name)).toString()).toBe('of somebody else');
    expect((await run(['status'])).stdout).toContain('1 backup not copied');
  }
});

/** As a `.env` has it, whatever is in it. */
function quoted(value: string): string {
  const quote = ["'", '`', '"'].find((each) => !value.includes(each)) ?? '';
  return `${quote}${value}${quote}`;
}

/** Strikes so many requests for a backup's own file, and then no more. */
const times = (count: number, method: string, fault: (request: S3Request) => Fault) => {
  let left = count;
  return (request: S3Request) =>
    request.method === method && sqlFile(request) && left-- > 0 ? fault(request) : undefined;
};
const altered = ({ body }: S3Request) => {
  const other = Buffer.from(body);
  other[body.length >> 1] = (other[body.length >> 1] ?? 0) ^ 1;
  return { body: other };
};
const half = ({ body }: S3Request) => ({ body: body.subarray(0, body.length >> 1) });

describe('what passes is tried again', () => {
  test.each<[string, (request: S3Request) => Fault | undefined]>([
    ['reset', times(2, 'PUT', () => 'reset')],
    ['500', times(1, 'PUT', () => ({ status: 500, code: 'InternalError' }))],
    ['503', times(2, 'PUT', () => ({ status: 503, code: 'SlowDown' }))],
    [
      'another region',
      times(1, 'HEAD', () => ({
        status: 301,
        code: 'PermanentRedirect',
        headers: { 'x-amz-bucket-region': 'eu-central-1' },
      })),
    ],
  ])('%s', async (_, fault) => {
    const { s3, run, directory } = await withS3({ checks: true });
    s3.faulty.fault = fault;
    const made = await run(['backup']);
    expect(made).toExitWith(0);
    expect(await s3.names()).toContain(await newest(directory));
  });
});

describe('what stays leaves the backup here safe, and is no copy', () => {
  const checksum = Buffer.alloc(32, 1).toString('base64');
  test.each<[string, boolean, (request: S3Request) => Fault | undefined, string]>([
    ['reset', true, times(99, 'PUT', () => 'reset'), 'no answer'],
    ['500', true, times(99, 'PUT', () => ({ status: 500, code: 'InternalError' })), '500'],
    ['403', true, times(99, 'PUT', () => ({ status: 403, code: 'AccessDenied' })), 'refuses it'],
    ['a truncated object', false, times(99, 'PUT', half), 'is not this file'],
    ['an altered object', false, times(99, 'PUT', altered), 'is not this file'],
    ['a cut body to one that checks', true, times(99, 'PUT', half), 'is not this file'],
    [
      'another checksum stored',
      true,
      times(99, 'HEAD', () => ({ answer: { 'x-amz-checksum-sha256': checksum } })),
      'is not this file',
    ],
    ['a hang', true, times(99, 'PUT', () => 'hang'), 'OFFSITE_TIMEOUT'],
  ])('%s', async (_, checks, fault, said) => {
    const { s3, run, directory } = await withS3({ checks });
    s3.faulty.fault = fault;
    const made = await run(['backup'], {
      OFFSITE_TIMEOUT: said === 'OFFSITE_TIMEOUT' ? '4' : '60',
    });
    expect(made).toExitWith(3);
    expectQuiet(made);
    expect(made.stderr).toContain('the backup is safe, but');
    expect(made.stderr).toContain(said);
    expect(await run(['verify'])).toExitWith(0);
    const status = await run(['status']);
    expect(status).toExitWith(3);
    expect(status.stdout).toContain('1 backup not copied to s3://bucket/prefix');
    s3.faulty.fault = () => undefined;
    await s3.remove(await newest(directory));
    const next = await run(['copy']);
    expect(next).toExitWith(0);
    expect(await s3.names()).toContain(await newest(directory));
  });
});

test('the next run catches up on all that are missing, oldest first', async () => {
  const { s3, run } = await withS3({ checks: true });
  for (let count = 0; count < 3; count += 1) await run(['backup'], { OFFSITE_URL: '' });
  expect(await run(['backup'])).toExitWith(0);
  const put = s3.requests.filter((each) => each.method === 'PUT' && sqlFile(each));
  expect(put).toHaveLength(4);
  expect(put.map(({ path }) => path)).toEqual(put.map(({ path }) => path).sort());
});

describe('without what it takes', () => {
  test.each([
    [{ OFFSITE_URL: 's3://nobody-has-this/x' }, 'there is no such bucket'],
    [{ AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }, 'no answer (ECONNREFUSED)'],
  ])('%j', async (env, said) => {
    const { run } = await withS3();
    expect(await run(['backup'], { OFFSITE_URL: '' })).toExitWith(0);
    const copied = await run(['copy'], env);
    expect(copied).toExitWith(3);
    expect(copied.stderr).toContain(said);
    expectQuiet(copied);
  });

  test.each([
    'rclone::s3,secret_access_key=Zr9secret:bucket/x',
    'file:///dir#x',
    'ftp://x',
    's3:/bucket',
    'file://relative',
    's3://key:Zr9secret@bucket/x',
  ])('OFFSITE_URL=%s is refused', async (url) => {
    const { run } = await withS3();
    const copied = await run(['copy'], { OFFSITE_URL: url });
    expect(copied).toExitWith(2);
    expect(copied.stderr).not.toContain('Zr9secret');
  });
});

test('large files go in parts, each with its checksum', async () => {
  const s3 = await startS3();
  const { signal } = new AbortController();
  const destination = new S3Destination({
    url: s3.env.OFFSITE_URL,
    environment: s3.env,
    signal,
    maxSinglePutBytes: 1_000_000,
    partBytes: 5 * 1024 * 1024,
  });
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: s3.env.AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY: s3.env.AWS_SECRET_ACCESS_KEY,
    AWS_ENDPOINT_URL: s3.env.AWS_ENDPOINT_URL,
  });
  const bytes = Buffer.alloc(12_000_000, 'abc');
  const file = {
    name: 'large',
    bytes: bytes.length,
    sha256: '',
    async *read(from = 0, to = bytes.length) {
      yield await Promise.resolve(bytes.subarray(from, to));
    },
  };
  expect(await destination.put(file)).toEqual({ isConfirmed: false, isNew: true });
  expect((await s3.get('large')).equals(bytes)).toBe(true);
  const parts = s3.requests.filter(({ query }) => query.includes('partNumber'));
  expect(parts).toHaveLength(3);
  // One that tells the checksum of the parts confirms it, or does not.
  const composite = (checksum: string) =>
    (s3.faulty.fault = ({ method }) =>
      method === 'HEAD' ? { answer: { 'x-amz-checksum-sha256': checksum } } : undefined);
  const sums = [0, 1, 2].map((part) =>
    createHash('sha256')
      .update(bytes.subarray(part * 5 * 1024 * 1024, (part + 1) * 5 * 1024 * 1024))
      .digest(),
  );
  const right = createHash('sha256').update(Buffer.concat(sums)).digest('base64');
  composite(`${right}-3`);
  expect(await destination.put(file)).toEqual({ isConfirmed: true, isNew: false });
  composite(`${right}-4`);
  await expect(destination.put(file)).rejects.toThrow('is not this file');
  // Where a part cannot be sent, nothing is left, and nothing that costs.
  s3.faulty.fault = ({ query }) =>
    query.includes('partNumber=2') ? { status: 403, code: 'AccessDenied' } : undefined;
  await expect(destination.put({ ...file, name: 'other' })).rejects.toThrow('refuses it');
  expect(
    s3.requests.some(({ method, query }) => method === 'DELETE' && query.includes('uploadId')),
  ).toBe(true);
  expect(await s3.names()).not.toContain('other');
});

test('a backup that has rotted here ends its own copy, and no other', async () => {
  const { s3, run, directory } = await withS3({ checks: true });
  expect(await run(['backup'], { OFFSITE_URL: '' })).toExitWith(0);
  const old = await newest(directory);
  const bytes = await readFile(join(directory, old));
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await writeFile(join(directory, old), bytes);
  const made = await run(['backup']);
  expect(made).toExitWith(3);
  expect(made.stderr).toContain('it is damaged');
  const names = await s3.names();
  expect(names).toContain(await newest(directory));
  expect(names).not.toContain(old);
});

/** Starts the tool, and kills it where it waits for the answer to its so-manyth request. */
async function killAt(
  s3: Awaited<ReturnType<typeof startS3>>,
  count: number,
  args: string[],
  env: Record<string, string>,
): Promise<void> {
  let left = count;
  const reached = new Promise<void>((resolve) => {
    s3.faulty.fault = () => {
      left -= 1;
      if (left !== 0) return undefined;
      resolve();
      return 'hang';
    };
  });
  const running = launch(args, { ...env, ...s3.env });
  await reached;
  killGroup(running);
  await running;
  s3.faulty.fault = () => undefined;
}

test('a run that is killed at any step of copying leaves what the next one completes', async () => {
  const { s3, run, env, directory } = await withS3({ checks: true });
  expect(await run(['backup'], { OFFSITE_URL: '' })).toExitWith(0);
  const name = await newest(directory);
  expect(await run(['copy'])).toExitWith(0);
  const steps = s3.requests.length;
  expect(steps).toBeGreaterThanOrEqual(7);
  for (let step = 1; step <= steps; step += 1) {
    for (const each of [...(await s3.names()), 'RECOVERY.md']) await s3.remove(each);
    await killAt(s3, step, ['copy'], env);
    expect(await run(['copy'])).toExitWith(0);
    expect((await s3.get(name)).equals(await readFile(join(directory, name)))).toBe(true);
    expect((await s3.get('RECOVERY.md')).toString()).toContain(name);
  }
});

test('a run that is killed at any step of fetching leaves nothing in the way', async () => {
  const { s3, run, database } = await withS3();
  expect(await run(['backup'], { BACKUP_GLOBALS: 'true' })).toExitWith(0);
  const fresh = await installation(database);
  const before = s3.requests.length;
  expect(await fresh.run(['verify', '--from-offsite'], { env: s3.env })).toExitWith(0);
  const steps = s3.requests.length - before;
  expect(steps).toBeGreaterThanOrEqual(4);
  for (let step = 1; step <= steps; step += 1) {
    const other = await installation(database);
    await killAt(s3, step, ['verify', '--from-offsite'], other.env);
    expect(await newest(other.directory)).toBe('');
    expect(await other.run(['verify', '--from-offsite'], { env: s3.env })).toExitWith(0);
    const left = await readdir(other.directory);
    expect(left.filter((each) => each.includes('partial'))).toEqual([]);
  }
});

test('slow as a modem, it arrives', async () => {
  const { s3, run, directory } = await withS3();
  s3.faulty.fault = ({ method, path }) =>
    method === 'GET' && path.endsWith('.gz') ? { bytesPerSecond: 100_000 } : undefined;
  expect(await run(['backup'])).toExitWith(0);
  expect(await s3.names()).toContain(await newest(directory));
});

describe('restore --from-offsite', () => {
  const content = (database: string) =>
    sql(database, "SELECT count(*) || ' ' || md5(string_agg(t::text, ',' ORDER BY a)) FROM t;");

  test('on a machine where nothing is, with the settings and the identity, it is all there is to do', async () => {
    const { s3, run, database } = await withS3({ checks: true });
    const role = `test_role_${database.slice(-8)}`;
    await sql(database, `CREATE ROLE ${role} LOGIN PASSWORD 'x'; ALTER TABLE t OWNER TO ${role};`);
    const keys = await ageKeys();
    const settings = { ...keys.toEncrypt, BACKUP_GLOBALS: 'true' };
    expect(await run(['backup'], settings)).toExitWith(0);
    const before = await content(database);
    await sql('postgres', `DROP DATABASE ${database} WITH (FORCE);`);
    await sql('postgres', `DROP ROLE ${role};`);

    const fresh = await installation(database);
    const { PATH = '', ...connection } = fresh.env;
    const lines = { ...connection, ...s3.env, ...settings, ...keys.toDecrypt };
    const dotenv = join(fresh.directory, '..', '.env');
    await writeFile(
      dotenv,
      Object.entries(lines)
        .map(([name, value]) => `${name}=${quoted(value)}\n`)
        .join(''),
    );
    const restored = await runTool(['--config', dotenv, 'restore', '--from-offsite', '--yes'], {
      env: { PATH },
    });
    expect(restored).toExitWith(0);
    expect(await content(database)).toBe(before);
    expect(await sql(database, "SELECT tableowner FROM pg_tables WHERE tablename = 't';")).toBe(
      role,
    );
    expect((await fresh.run(['verify'], { env: keys.toDecrypt })).stdout).toContain('good:');
    await sql('postgres', `DROP DATABASE ${database} WITH (FORCE); DROP ROLE ${role};`);
  });

  test('by name, timestamp and URL; one that is here is not fetched again', async () => {
    const { s3, run, directory, database } = await withS3();
    expect(await run(['backup'])).toExitWith(0);
    const name = await newest(directory);
    const before = await content(database);
    for (const args of [
      ['--from-offsite', name],
      ['--from-offsite', name.slice(15, 30)],
      [`s3://bucket/prefix/${name}`],
    ]) {
      const fresh = await installation(database);
      const options = { env: s3.env };
      expect((await fresh.run(['verify', ...args], options)).stdout).toContain(`${name}  good:`);
      const again = await fresh.run(['restore', ...args, '--yes'], options);
      expect(again).toExitWith(0);
      expect(again.stderr).toContain('already');
      expect(await content(database)).toBe(before);
    }
    const none = await run(['restore', '--from-offsite', '20200101_000000', '--yes']);
    expect(none).toExitWith(10);
  });

  test('a copy that is not what was copied is refused, and leaves nothing', async () => {
    const { s3, run, directory, database } = await withS3();
    expect(await run(['backup'])).toExitWith(0);
    const name = await newest(directory);
    const bytes = await s3.get(name);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await s3.put(name, bytes);
    const fresh = await installation(database);
    const refused = await fresh.run(['restore', '--from-offsite', '--yes'], { env: s3.env });
    expect(refused).toExitWith(21);
    expect(refused.stderr).toContain('is not what was copied');
    expect((await readdir(fresh.directory)).filter((each) => each.startsWith('pratiko'))).toEqual(
      [],
    );
  });

  test('a connection that breaks is tried again; a run that is killed leaves nothing in the way', async () => {
    const { s3, run, directory, database } = await withS3();
    expect(await run(['backup'])).toExitWith(0);
    const fresh = await installation(database);
    s3.faulty.fault = times(1, 'GET', () => 'reset');
    const verified = await fresh.run(['verify', '--from-offsite'], { env: s3.env });
    expect(verified).toExitWith(0);

    const other = await installation(database);
    const slow = new Promise<void>((resolve) => {
      s3.faulty.fault = times(1, 'GET', () => {
        resolve();
        return { bytesPerSecond: 20_000 };
      });
    });
    const running = launch(['verify', '--from-offsite'], { ...other.env, ...s3.env });
    await slow;
    await expect
      .poll(() => readdir(other.directory))
      .toContain(`.${await newest(directory)}.partial`);
    killGroup(running);
    await running;
    expect(await newest(other.directory)).toBe('');
    expect(await other.run(['verify', '--from-offsite'], { env: s3.env })).toExitWith(0);
    expect((await readdir(other.directory)).filter((each) => each.includes('partial'))).toEqual([]);
  });
});

test('attempts end, and only what passes is tried again', async () => {
  let count = 0;
  const { signal } = new AbortController();
  const log = { debug: () => undefined } as never;
  await expect(
    withRetries(signal, log, () => {
      count += 1;
      throw new RangeError('a bug');
    }),
  ).rejects.toThrow(RangeError);
  expect(count).toBe(1);
});
