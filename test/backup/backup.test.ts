import { execFile } from 'node:child_process';
import { lstat, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { execa } from 'execa';
import { describe, expect, inject, test } from 'vitest';
import { demoDatabase } from '../../src/demo/database.ts';
import { checkout } from '../support/checkout.ts';
import { bin, installation, temporaryDirectory, toolEnvironment } from '../support/cli.ts';
import { fakePgDump } from '../support/fake-tool.ts';
import { backedUp } from '../support/backed-up.ts';
import { sql, temporaryDatabase } from '../support/server.ts';
import { startWebhook } from '../support/slack.ts';
import { filesIn } from '../support/invariants.ts';

const latest = 'pratiko_backup_latest.sql.gz';
const small = 'CREATE TABLE t AS SELECT generate_series(1, 1000) AS a;';

/** A fresh database and a tool set to back it up. */
async function prepared(text = small) {
  const database = await temporaryDatabase(text);
  return { database, ...(await installation(database)) };
}

describe('a backup', () => {
  test('is a private file that gunzip and psql can read, with a manifest and the latest link', async () => {
    const { database, directory, run } = await prepared(demoDatabase);

    const { exitCode, stdout, stderr } = await run(['backup']);

    expect(exitCode).toBe(0);
    expect(stdout).toBe('');
    const [line] = stderr.split('\n').slice(-1);
    expect(line).toMatch(
      /INFO: backup pratiko_backup_\d{8}_\d{6}\.sql\.gz is good: 3 tables, 162 rows, [\d.]+ kB → [\d.]+ kB, [\d.]+ s$/,
    );
    expect(stderr).toContain(`backing up database "${database}" (POSTGRES_DB in the environment)`);
    const name = await readlink(join(directory, latest));
    const manifest = name.replace('.sql.gz', '.manifest.json');
    expect((await filesIn(directory)).sort()).toEqual([manifest, name, latest].sort());
    for (const file of [name, manifest]) {
      expect((await lstat(join(directory, file))).mode & 0o777).toBe(0o600);
    }
    const { stdout: text } = await promisify(execFile)('gunzip', ['-c', join(directory, name)]);
    expect(text).toMatch(/-- PostgreSQL database dump complete\n--\n\n(\\unrestrict \w+\n\n)?$/);
    expect(text).toContain('OWNER TO aifinance');
    expect(text).toContain('GRANT SELECT ON TABLE public.published_items TO PUBLIC');
  });

  test('tells with --json what the manifest says, and nothing else on stdout', async () => {
    const { directory, run } = await prepared();
    const { stdout } = await run(['backup', '--json']);
    const result = JSON.parse(stdout) as { backup: string; tables: unknown };
    expect(result.tables).toEqual([{ table: 'public.t', rows: 1000, bytes: 3893 }]);
    const manifest = await readFile(
      join(directory, result.backup.replace('.sql.gz', '.manifest.json')),
      'utf8',
    );
    expect(result).toMatchObject(JSON.parse(manifest) as object);
    expect(JSON.parse(manifest)).toMatchObject({
      database: { owner: 'aifinance', encoding: 'UTF8', collate: 'C', provider: 'libc' },
      serverVersion: expect.stringMatching(/^\d+\.\d+/) as string,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
  });

  test('does not create a directory that was chosen: its disk may not be mounted', async () => {
    const { run } = await prepared();
    const missing = join(await temporaryDirectory(), 'not', 'mounted');
    const { exitCode, stderr } = await run(['backup', '--backup-dir', missing]);
    expect(exitCode).toBe(14);
    expect(stderr).toContain(
      `there is no backup directory ${missing}; hint: mount its disk, or create it: mkdir -p -m 700 ${missing}`,
    );
    expect(stderr).not.toContain('backing up');
  });

  test('is made under the next second when this one is taken', async () => {
    const { directory, run } = await prepared();
    await Promise.all([run(['backup', '--wait', '30']), run(['backup', '--wait', '30'])]);
    const names = (await filesIn(directory)).filter((name) => /\d\.sql\.gz$/.test(name));
    expect(names).toHaveLength(2);
    expect(await run(['verify', '--all'])).toExitWith(0);
  });

  test('removes what an interrupted run left, and says so', async () => {
    const { directory, run } = await prepared();
    const partial = '.pratiko_backup_20250101_000000.sql.gz.partial';
    await writeFile(join(directory, partial), 'half a dump');
    const { stderr } = await run(['backup']);
    expect(stderr).toContain(`removed ${partial}, left by a run that was interrupted`);
    expect(await filesIn(directory)).not.toContain(partial);
  });

  test('applies retention afterwards, unless told not to', async () => {
    const { directory, run } = await prepared();
    await run(['backup']);
    const name = await readlink(join(directory, latest));
    const text = await readFile(join(directory, name));
    const manifest = await readFile(join(directory, name.replace('.sql.gz', '.manifest.json')));
    const day = (ago: number) =>
      new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
    const older = [9, 8, 2, 1].map((ago) => `pratiko_backup_${day(ago)}_120000`);
    for (const base of older) {
      await writeFile(join(directory, `${base}.sql.gz`), text);
      await writeFile(join(directory, `${base}.manifest.json`), manifest);
    }

    await run(['backup', '--no-prune']);
    expect(await filesIn(directory)).toEqual(
      expect.arrayContaining(older.map((base) => `${base}.sql.gz`)),
    );

    const { stderr } = await run(['backup']);
    const left = await filesIn(directory);
    for (const base of older.slice(0, 2)) {
      expect(left).not.toContain(`${base}.sql.gz`);
      expect(left).not.toContain(`${base}.manifest.json`);
      expect(stderr).toContain(`removed ${base}.sql.gz: `);
    }
    for (const base of older.slice(2)) expect(left).toContain(`${base}.sql.gz`);
  });
});

test('the second run at a time is told who holds the lock and since when', async () => {
  const { env, directory, run } = await prepared();
  const first = execa(process.execPath, [bin, '--env-file', '/dev/null', 'backup'], {
    env: { ...env, PG_BIN_DIR: await fakePgDump('exec sleep 600') },
    extendEnv: false,
    reject: false,
  });
  await expect.poll(() => filesIn(directory)).toHaveLength(2);

  const second = await run(['backup']);

  expect(second.exitCode).toBe(11);
  expect(second.stderr).toMatch(
    new RegExp(
      `another run holds the lock: backup, process ${first.pid} on \\S+, since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d .*hint: .*--wait`,
    ),
  );
  expect(await run(['prune', '--dry-run'])).toExitWith(0);
  first.kill('SIGTERM');
  const { exitCode, stderr } = await first;
  expect(exitCode).toBe(143);
  expect(stderr).toContain('interrupted by SIGTERM');
  expect(await filesIn(directory)).toEqual([]);
});

test('a bug is told with its stack, and as JSON', async () => {
  const { run } = await prepared();
  const broken = await temporaryDirectory();
  const script =
    '#!/bin/sh\n[ "$1" = --version ] && echo "psql (PostgreSQL) 99.0" || echo "not JSON"\n';
  for (const tool of ['psql', 'pg_dump'])
    await writeFile(join(broken, tool), script, { mode: 0o755 });
  const { exitCode, stdout, stderr } = await run(['backup', '--json'], {
    env: { PG_BIN_DIR: broken },
  });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(
    /unexpected error: SyntaxError: [^]*at query .*dist[^]*at async makeBackup /,
  );
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: 1, kind: 'unexpected' } });
});

test('no secret stands in any output at any level, or in the arguments of any process', async () => {
  const { env, run } = await prepared();
  const { url } = await startWebhook((_request, response) => {
    response.statusCode = 500;
    response.end();
  });
  const argv = join(await temporaryDirectory(), 'argv');
  const spy = await fakePgDump(
    `tr '\\0' ' ' < /proc/$$/cmdline >> ${argv}; ps -eo args >> ${argv}; echo "pg_dump: error: failed" >&2; exit 1`,
  );
  const { password } = inject('connection');
  for (const format of ['pretty', 'json']) {
    for (const extra of [{}, { PG_BIN_DIR: spy }, { POSTGRES_PORT: '1' }, { LOG_LEVEL: 'x' }]) {
      const result = await run(['backup', '--verbose', '--json', '--log-format', format], {
        env: { ...env, SLACK_WEBHOOK_URL: url, ...extra },
      });
      expect(result.stdout + result.stderr).not.toContain('topsecret');
      expect(result.stdout + result.stderr).not.toContain(password);
      expect(result.stdout + result.stderr).not.toContain(JSON.stringify(password).slice(1, -1));
    }
  }
  const seen = await readFile(argv, 'utf8');
  expect(seen).toContain('--format=plain');
  expect(seen).not.toContain(password.slice(0, 12));
  await rm(argv);
});

test('that the database has lost most of its rows is a warning, here and before a restore', async () => {
  const { database, run } = await backedUp(
    'CREATE TABLE t AS SELECT generate_series(1, 1000) AS a;',
  );
  await sql(database, 'DELETE FROM t WHERE a > 400;');
  const { stderr, exitCode } = await run(['backup']);
  expect(stderr).toMatch(
    /WARN: it holds 400 rows; pratiko_backup_\d+_\d+\.sql\.gz held 1,000: public\.t has 400 rows \(1,000 in \S+\); hint: if that is not/,
  );
  expect(exitCode).toBe(0);
  const planned = await run(['restore', 'latest', '--dry-run']);
  expect(planned.stderr).toMatch(
    /an older backup holds much more: \S+ has 1,000 rows; hint: to look at that one, in a database beside: `pratiko-backup restore \d{8}_\d{6} --to NEW_DATABASE/,
  );
});

test('of a database that is gone and was backed up, restore is what is told', async () => {
  const { database, run, name } = await backedUp('CREATE TABLE t (a integer);');
  await sql('postgres', `DROP DATABASE ${database};`);
  const ending = await run(['backup']);
  expect(ending).toExitWith(13);
  expect(ending.stderr).toContain(` --to ${database}\` brings it back (${name} is there)`);
});

test('the first backup of a fresh checkout makes its directory, private, and says so', async () => {
  const database = await temporaryDatabase('CREATE TABLE t AS SELECT 1 AS a;');
  const { PATH: _, BACKUP_DIR: __, ...settings } = toolEnvironment(database, '');
  const { run, directory } = await checkout(settings);
  const backups = join(directory, 'backups');
  await rm(backups, { recursive: true });
  const made = await run(['backup']);
  expect(made).toExitWith(0);
  expect(made.stderr).toContain(`there was no backup directory: created ${backups}`);
  expect((await stat(backups)).mode & 0o777).toBe(0o700);
});
