import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { doctorResult } from '../../src/cli/status-results.ts';
import { cutValues, strayLines } from '../../src/doctor/settings-checks.ts';
import { nodeCheck } from '../../src/doctor/surroundings-checks.ts';
import { backedUp } from '../support/backed-up.ts';
import { checkout } from '../support/checkout.ts';
import { installation, runTool, temporaryDirectory, type RunOptions } from '../support/cli.ts';
import { ageKeys } from '../support/keys.ts';
import { fakePgDump } from '../support/fake-tool.ts';
import { canMount, smallDisk } from '../support/small-disk.ts';
import { execute } from '../../src/postgres/psql.ts';
import { startOwnServer, toolFor } from '../support/own-server.ts';
import { ordinaryUser } from '../support/roles.ts';
import { startWebhook } from '../support/slack.ts';
import { sql, temporaryDatabase } from '../support/server.ts';
import { waiting } from '../support/waiting.ts';

/** What doctor says of a check, and that its exit code fits. */
async function diagnose(
  run: (args: readonly string[], options?: RunOptions) => ReturnType<typeof runTool>,
  env: Readonly<Record<string, string>> = {},
  ...args: string[]
) {
  const { stdout, exitCode } = await run(['doctor', '--json', ...args], { env });
  const { ok, checks } = doctorResult.parse(JSON.parse(stdout));
  expect(ok).toBe(checks.every(({ state }) => state !== 'failed'));
  expect(exitCode).toBe(ok ? 0 : 3);
  for (const { state, hint } of checks) expect(hint === undefined).toBe(state === 'ok');
  return (name: string) =>
    checks
      .filter((check) => check.name === name)
      .map(({ state, message }) => `${state}: ${message}`)
      .join('\n');
}

test('where all is well, a line a check', async () => {
  const { run, database } = await backedUp(
    'CREATE EXTENSION pg_trgm; CREATE TABLE t AS SELECT 1 AS a;',
  );
  const { stdout, exitCode } = await run(['doctor']);
  expect(exitCode).toBe(0);
  for (const line of [
    /^ok +node +\d+\.\d+/m,
    /^ok +pg_dump +\/.*version \d+/m,
    /^ok +psql /m,
    new RegExp(`^ok +connection +"${database}" on 127`, 'm'),
    /^ok +versions /m,
    /^ok +backup +"aifinance" may read everything/m,
    /^ok +clock /m,
    /^ok +restore +"aifinance" may create databases/m,
    /^ok +extensions /m,
    /^ok +roles /m,
    /^ok +directory /m,
    /^ok +room .* free, room for/m,
    /^ok +lock +nobody is at work/m,
    /^ok +leftovers +none/m,
    /^ok +slack +not set/m,
  ]) {
    expect(stdout).toMatch(line);
  }
  expect(stdout).not.toContain('FAILED');
});

describe('what is broken is told, with what to do', () => {
  test('no server; a wrong password; no database', async () => {
    const { run } = await installation('no_such_database');
    const away = await diagnose(run, { POSTGRES_PORT: '1' });
    expect(away('connection')).toMatch(/^failed: .*connection refused/);
    expect(away('server')).toContain('were not checked');
    expect(away('directory')).toContain('ok: ');
    const wrong = await diagnose(run, { POSTGRES_PASSWORD: 'wrong' });
    expect(wrong('connection')).toContain('does not accept the password');
    expect((await diagnose(run))('connection')).toContain(
      'there is no database "no_such_database"',
    );
  });

  test('programs that are missing, or too old', async () => {
    const { run } = await installation(await temporaryDatabase());
    const missing = await diagnose(run, { PG_BIN_DIR: '/nowhere' });
    expect(missing('pg_dump')).toMatch(/^failed: no usable pg_dump/);
    expect(missing('psql')).toMatch(/^failed: no usable psql/);
    const old = await diagnose(run, { PG_BIN_DIR: await fakePgDump('exit 1', '9.6.24') });
    expect(old('versions')).toMatch(/^failed: .* too old for the server/);
    expect(nodeCheck('20.18.3').state).toBe('failed');
    expect(nodeCheck('22.11.0').state).toBe('failed');
    expect(nodeCheck('20.19.0').state).toBe('ok');
    expect(nodeCheck('24.0.0').state).toBe('ok');
  });

  test('a user who may not read, create or replace', async () => {
    const database = await temporaryDatabase('CREATE TABLE t (); CREATE TABLE secret (); ');
    const { run } = await installation(database);
    const { name, env } = await ordinaryUser(database);
    await sql(
      'postgres',
      `ALTER ROLE "${name}" NOCREATEDB; ALTER DATABASE ${database} OWNER TO aifinance;`,
    );
    await sql(
      database,
      'ALTER TABLE secret OWNER TO aifinance; ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;',
    );
    const found = await diagnose(run, env);
    expect(found('backup')).toContain(`may not read public.secret: a backup fails`);
    expect(found('backup')).toContain('row-level security hides rows of public.t');
    expect(found('restore')).toContain('may not create databases');
    expect(found('restore')).toContain('does not own');
  });

  test('what the last backup needs and the server does not have', async () => {
    const made = await backedUp('CREATE TABLE t AS SELECT 1 AS a;');
    const manifest = JSON.parse(await readFile(made.manifestPath, 'utf8')) as object;
    const wanting = { ...manifest, extensions: ['teleport'], roles: ['nobody_here'] };
    await writeFile(made.manifestPath, JSON.stringify(wanting));
    const found = await diagnose(made.run);
    expect(found('extensions')).toContain(
      'failed: the last backup needs what the server does not offer',
    );
    expect(found('extensions')).toContain('teleport');
    expect(found('roles')).toContain('nobody_here');
  });

  test.runIf(canMount)('no room for two more backups, and no directory yet', async () => {
    const { run } = await installation(
      await temporaryDatabase(
        "CREATE TABLE t AS SELECT string_agg(md5(g::text), '') FROM generate_series(1, 20000) AS g;",
      ),
    );
    const BACKUP_DIR = await smallDisk('size=1m');
    expect(await run(['backup'], { env: { BACKUP_DIR } })).toExitWith(0);
    expect((await diagnose(run, { BACKUP_DIR }))('room')).toMatch(
      /^failed: .* free, room for \d more$/,
    );
    const { run: runFresh, directory } = await checkout({});
    await rm(join(directory, 'backups'), { recursive: true });
    const { stdout } = await runFresh(['doctor']);
    expect(stdout).toContain(`there is no ${join(directory, 'backups')} yet`);
  });

  test('encryption that was lost, or came later than the backups', async () => {
    const made = await backedUp('CREATE TABLE t AS SELECT 1 AS a;');
    const { recipient } = await ageKeys();
    const BACKUP_AGE_RECIPIENT = recipient;
    const OFFSITE_URL = `file://${await temporaryDirectory()}`;
    const later = await diagnose(made.run, { BACKUP_AGE_RECIPIENT, OFFSITE_URL });
    expect(later('keys')).toContain('warning: 1 backup made without encryption would be copied');
    expect(await made.run(['backup'], { env: { BACKUP_AGE_RECIPIENT } })).toExitWith(0);
    expect((await diagnose(made.run))('keys')).toContain('warning: new backups are not encrypted');
    const plain = await made.run(['backup']);
    expect(plain.stderr).toContain('it is not encrypted, but the one before is');
  });

  test('what a killed restore has left on the server', async () => {
    await using own = await startOwnServer();
    const run = await toolFor(own, { POSTGRES_DB: 'postgres' });
    const left = 'app_restore_20251129_140000_1a2b';
    await execute(own.server, 'postgres', `CREATE DATABASE ${left};`);
    const { stdout } = await run(['doctor']);
    expect(stdout).toContain(`database "${left}" is of a restore that is at work, or was killed`);
    expect(stdout).toContain(`DROP DATABASE "${left}"`);
  });

  test('another run is at work', async () => {
    const { run } = await backedUp();
    const { command, release } = await waiting();
    const other = run(['backup'], { env: { BEFORE_BACKUP: command } });
    await expect
      .poll(async () => (await diagnose(run))('lock'))
      .toContain('backup is at work since');
    await release();
    expect(await other).toExitWith(0);
  });

  test('the directory: missing, open to others, with leftovers and manifests of nothing', async () => {
    const { run, directory } = await installation(await temporaryDatabase());
    await chmod(directory, 0o755);
    await writeFile(join(directory, '.pratiko_backup_20250101_000000.sql.gz.partial'), '');
    await writeFile(join(directory, 'pratiko_backup_20250102_000000.manifest.json'), '{}');
    const found = await diagnose(run);
    expect(found('directory')).toContain('warning: others may look into');
    expect(found('leftovers')).toContain('.pratiko_backup_20250101_000000.sql.gz.partial');
    expect(found('manifests')).toContain('pratiko_backup_20250102_000000.manifest.json');
    await rm(directory, { recursive: true });
    expect((await diagnose(run))('directory')).toMatch(/^failed: there is no /);
    await writeFile(directory, '');
    expect((await diagnose(run))('leftovers')).toMatch(/^failed: /m);
  });

  test('settings: cut values, open files, misspelled names, default passwords, no encryption', async () => {
    const { directory, run } = await checkout({});
    const file = join(directory, '.env');
    await writeFile(
      file,
      'POSTGRES_HOST=db.invalid\nRETENTION_DAY=3\nSLACK_WEBHOOK_URL=https://x/#y\n',
    );
    await chmod(file, 0o644);
    const found = await diagnose(run);
    expect(found('settings')).toContain('RETENTION_DAY in .env is no setting');
    expect(found('settings')).toContain(
      'failed: the value of SLACK_WEBHOOK_URL in .env is cut at its #',
    );
    expect(found('settings')).toContain('warning: .env can be read by others');
    expect(found('password')).toContain('failed: it is the default one');
    expect(found('encryption')).toContain('warning: PGSSLMODE is not set');
    expect((await diagnose(run, { PGSSLMODE: 'require' }))('encryption')).toContain(
      'nobody checks',
    );
    expect((await diagnose(run, { PGSSLMODE: 'verify-full' }))('encryption')).toBe(
      'ok: PGSSLMODE is verify-full',
    );
    const broken = await diagnose(run, { POSTGRES_PORT: 'abc' });
    expect(broken('settings')).toContain('failed: POSTGRES_PORT in the environment is "abc"');
  });

  test('keys: one that cannot encrypt, one that does not open, one that others can read', async () => {
    const { run } = await installation(await temporaryDatabase());
    const keys = await ageKeys();
    const found = async (env: Record<string, string>) => (await diagnose(run, env))('keys');
    expect(await found({})).toBe('ok: new backups are not encrypted');
    expect(await found(keys.toEncrypt)).toContain(
      'ok: new backups are encrypted with age; no private',
    );
    const both = { ...keys.toEncrypt, ...keys.toDecrypt };
    expect(await found(both)).toContain('a private key here opens them');
    expect(await found({ ...keys.toEncrypt, BACKUP_DRILL: 'always' })).toContain('failed: ');
    const other = await ageKeys();
    expect(await found({ ...keys.toEncrypt, ...other.toDecrypt })).toContain('failed: ');
    expect(await found({ BACKUP_AGE_RECIPIENT: 'age1' })).toContain('failed: ');
    await chmod(keys.file, 0o644);
    expect(await found(both)).toContain('can be read by others');
  });

  test('a crontab without backups, with a program that is gone, or without cron', async () => {
    const { run } = await installation(await temporaryDatabase());
    const directory = await temporaryDirectory();
    const { PATH = '' } = process.env;
    const withCrontab = async (text: string, env: Record<string, string> = {}) => {
      await writeFile(join(directory, 'text'), text);
      await writeFile(join(directory, 'crontab'), `#!/bin/sh\ncat '${directory}/text'\n`, {
        mode: 0o755,
      });
      return (await diagnose(run, { ...env, PATH: `${directory}:${PATH}` }))('cron');
    };
    expect(await withCrontab('5 4 * * * /bin/true\n')).toContain(
      'warning: your crontab makes no backups with these settings',
    );
    expect(
      await withCrontab('0 2 * * * /gone/node /gone/pratiko-backup.js --config /dev/null backup\n'),
    ).toBe('failed: your crontab starts /gone/node, which is not there');
    expect(
      await withCrontab(
        `0 2 * * * ${process.execPath} '/go ne/bin/pratiko-backup.js' --config /dev/null backup\n`,
      ),
    ).toBe('failed: your crontab starts /go ne/bin/pratiko-backup.js, which is not there');
    expect(
      await withCrontab(
        `0 2 * * * cd /tmp && ${process.execPath} /dev/null pratiko-backup --config /dev/null backup\n`,
      ),
    ).toMatch(/^ok: the next backup is at \d{4}-\d\d-\d\d 02:00:00$/m);
    expect(
      await withCrontab(
        `0 2 * * * ${process.execPath} /dev/null pratiko-backup --config /dev/null backup >> '/go ne/logs/backup.log' 2>&1\n`,
      ),
    ).toContain('failed: your crontab writes to /go ne/logs/backup.log, which cannot be written');
    const start = `${process.execPath} /dev/null pratiko-backup --config /dev/null`;
    const drill = `0 2 * * * ${start} backup\n30 3 1 * * ${start} verify --restore\n`;
    const { toEncrypt, toDecrypt } = await ageKeys();
    const locked = 'in your crontab, the drill cannot open encrypted backups';
    expect(await withCrontab(drill, toEncrypt)).toContain(locked);
    expect(await withCrontab(drill, { ...toEncrypt, ...toDecrypt })).not.toContain(locked);
    expect(
      await withCrontab(
        `0 2 * * * ${process.execPath} /dev/null pratiko-backup --config /other backup\n`,
      ),
    ).toContain('makes no backups with these settings');
    await mkdir(join(directory, 'none'));
    const none = await diagnose(run, { PATH: join(directory, 'none') });
    expect(none('cron')).toContain('warning: there is no crontab');
  });

  test('Slack: --notify sends a test message, or tells why not, without the URL', async () => {
    const { run } = await installation(await temporaryDatabase());
    const { url, messages } = await startWebhook();
    const silent = await diagnose(run, { SLACK_WEBHOOK_URL: url });
    expect(silent('slack')).toContain('ok: set');
    expect(messages).toEqual([]);
    expect((await diagnose(run, { SLACK_WEBHOOK_URL: url }, '--notify'))('slack')).toBe(
      'ok: a test message was sent',
    );
    expect(messages[0]).toContain('this is a test');
    const away = await diagnose(
      run,
      { SLACK_WEBHOOK_URL: 'http://127.0.0.1:1/topsecret' },
      '--notify',
    );
    expect(away('slack')).toMatch(/^failed: it was not told: /);
    expect(away('slack')).not.toContain('topsecret');
    expect((await diagnose(run, {}, '--notify'))('slack')).toContain(
      'failed: there is nobody to tell',
    );
  });
});

test('lines that set nothing are found by their numbers: they may hold a secret', () => {
  expect(
    strayLines(
      "A=1\n# a comment\n\nRETENTION_DAYS 30\nexport B=2\nC='two\nlines'\n  this is none\nD: 4\n",
    ),
  ).toEqual([4, 8]);
});

test('values that go on behind a # are found, and no others', () => {
  expect(
    cutValues(
      'A=pa#ss\nB=\'pa#ss\'\nC="pa#ss"\nD=pass # a comment\nE=#nothing\n# F=pa#ss\nexport G=x#y\nH=`a#b`\nI=plain\nJ=a b#c\n',
    ),
  ).toEqual(['A', 'G', 'J']);
});

test('commands of the team are looked for, here and for cron', async () => {
  const { run } = await backedUp();
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'only-here'), '#!/bin/sh\n', { mode: 0o755 });
  const { stdout } = await run(['doctor'], {
    env: {
      PATH: `${directory}:${process.env.PATH ?? ''}`,
      BEFORE_BACKUP: 'only-here now',
      AFTER_BACKUP: 'not_there',
    },
  });
  expect(stdout).toMatch(/warning +commands +BEFORE_BACKUP: cron does not find only-here/);
  expect(stdout).toMatch(/FAILED +commands +AFTER_BACKUP: no such command: not_there/);
});
