import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import { backedUp } from '../support/backed-up.ts';
import { runTool, temporaryDirectory } from '../support/cli.ts';
import { docker, throughDocker } from '../support/docker.ts';
import { launch } from '../support/launch.ts';
import { server, sql, temporaryDatabase } from '../support/server.ts';

/** A database with a backup of it, and the same settings without PostgreSQL on this machine. */
async function behindDocker() {
  const made = await backedUp();
  const container = await docker();
  const env = throughDocker(made.env, container.exec);
  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    runTool(args, { env: { ...env, ...more } });
  return { ...made, ...container, env, run };
}

describe('with the programs in a container', () => {
  test('a backup, its restore, and taking that back work', async () => {
    const { run, database, exec } = await behindDocker();
    const backup = await run(['backup']);
    expect(backup).toExitWith(0);
    expect(backup.stderr).toContain(`on the server behind \`${exec}\` as`);
    await sql(database, 'DELETE FROM t;');
    expect(await run(['restore', '--yes'])).toExitWith(0);
    expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1000');
    expect(await run(['restore', '--undo', '--yes'])).toExitWith(0);
    expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('0');
  });

  test('a drill, the roles, status, doctor, list, diff and prune work', async () => {
    const { run } = await behindDocker();
    expect(await run(['backup'], { BACKUP_GLOBALS: 'true', BACKUP_DRILL: 'always' })).toExitWith(0);
    const drill = await run(['verify', '--restore']);
    expect(drill).toExitWith(0);
    expect(drill.stdout).toContain('proven: restored and compared');
    for (const command of ['status', 'list', 'prune']) {
      expect(await run([command])).toExitWith(0);
    }
    const doctor = await run(['doctor']);
    expect(doctor.stdout).toMatch(/ok +pg_dump +pg_dump, version/);
    expect(doctor.stdout).toMatch(/ok +connection .* behind/);
  });

  test('a salvage and a load by one session work', async () => {
    const { run } = await behindDocker();
    expect(await run(['restore', '--yes', '--jobs', '1'])).toExitWith(0);
    const salvage = await run(['restore', '--salvage', '--yes']);
    expect(salvage).toExitWith(0);
    expect(salvage.stdout).toContain('1,000 rows');
  });

  test('names and passwords with every character cross, and are on no command line', async () => {
    const container = await docker();
    const { env } = await backedUp();
    const name = await temporaryDatabase('', 'odd');
    const odd = `${name} 'x' "y" $z \\ é;#`;
    await sql('postgres', `ALTER DATABASE ${name} RENAME TO "${odd.replaceAll('"', '""')}";`);
    await sql(odd, 'CREATE TABLE t AS SELECT 1 AS a;');
    const settings = throughDocker({ ...env, POSTGRES_DB: odd }, container.exec);
    const watch = new Watch([inject('connection').password, odd]);
    const running = launch(['backup'], settings);
    await watch.until(running);
    expect((await running).exitCode).toBe(0);
    const again = launch(['restore', '--yes'], settings);
    await watch.until(again);
    expect((await again).exitCode).toBe(0);
    expect(watch.seen).toBeGreaterThan(20);
    expect(watch.found).toEqual([]);
    // What docker was given is always the same, and tells nothing.
    expect(new Set((await container.calls()).map((words) => words.join(' ')))).toEqual(
      new Set(['compose exec -T db sh']),
    );
    await sql('postgres', `DROP DATABASE "${odd.replaceAll('"', '""')}";`);
  });

  test('host, port and variables of libpq are passed on where they are set', async () => {
    const { run, env } = await behindDocker();
    const wrong = await run(['backup', '--port', '1']);
    expect(wrong).toExitWith(13);
    expect(wrong.stderr).toContain('cannot connect to port 1 behind');
    const tls = await run(['backup'], { ...env, PGSSLMODE: 'require' });
    expect(tls).toExitWith(13);
    expect(tls.stderr).toContain('PGSSLMODE requires');
  });

  test('what is set at the other end leads to no other server, and changes no text', async () => {
    const { run, env, database } = await behindDocker();
    const { host, port } = inject('connection');
    const here = {
      POSTGRES_HOST: host,
      POSTGRES_PORT: String(port),
      POSTGRES_EXEC: env.POSTGRES_EXEC ?? '',
    };
    await sql(database, "INSERT INTO t VALUES (0); COMMENT ON TABLE t IS 'é';");
    const odd = {
      PGHOSTADDR: '127.0.0.9',
      PGSERVICE: 'x',
      PGCLIENTENCODING: 'LATIN1',
      PGUSER: 'x',
      PGDATABASE: 'x',
      PGPASSWORD: 'x',
    };
    const backup = await run(['backup'], { ...here, DOCKER_INSIDE: JSON.stringify(odd) });
    expect(backup).toExitWith(0);
    const dump = await run(['extract', '--schema-only'], here);
    expect(dump.stdout).toContain("IS 'é';");
  });

  test('a wrong password and a missing database are told as such', async () => {
    const { run } = await behindDocker();
    const password = await run(['backup'], { POSTGRES_PASSWORD: 'wrong' });
    expect(password).toExitWith(13);
    expect(password.stderr).toContain('does not accept the password');
    const database = await run(['backup'], { POSTGRES_DB: 'not_there' });
    expect(database).toExitWith(13);
    expect(database.stderr).toContain('there is no database "not_there"');
  });

  test('it is found on PATH, or from the project', async () => {
    const { run, directory } = await behindDocker();
    const exec = 'docker exec -i db';
    expect(await run(['backup'], { POSTGRES_EXEC: exec, PATH: directory })).toExitWith(0);
  });

  test('PG_BIN_DIR is a directory there', async () => {
    const { run, directory } = await behindDocker();
    const refused = await run(['backup'], { PG_BIN_DIR: '/nowhere/bin' });
    expect(refused).toExitWith(12);
    expect(refused.stderr).toMatch(/no usable \w+ behind/);
    // What is not on PATH there is found by its directory.
    await writeFile(
      join(directory, 'container.json'),
      JSON.stringify({ ...(await inside(directory)), PATH: '/bin' }),
    );
    const there = await run(['backup'], { PG_BIN_DIR: dirname(server.psql.path) });
    expect(there).toExitWith(0);
  });
});

describe('where POSTGRES_EXEC leads nowhere', () => {
  const scripts: Record<string, readonly [script: string, exitCode: number, message: RegExp]> = {
    'it refuses': [
      'echo \'service "db" is not running\' >&2; exit 1',
      13,
      /ran nothing \(exit code 1\): service "db" is not running[^]*docker compose up/,
    ],
    'it asks a question': [
      "printf 'Password: ' >&2; read -r _; sleep 60",
      13,
      /asks a question: Password:[^]*nobody is there to answer/,
    ],
    'it is slow': ['sleep 60', 13, /did not answer within 3 s/],
    'it has no sh': [
      'echo \'exec: "sh": executable file not found in $PATH\' >&2; exit 127',
      13,
      /there must be a `sh`/,
    ],
    'it goes through a terminal': [
      'exec script -qfec sh /dev/null',
      2,
      /goes through a terminal[^]*-T/,
    ],
    'it closes its output and stays': ['exec >/dev/null; sleep 60', 13, /ran nothing \(SIGKILL\)/],
    'it wants a terminal': [
      "echo 'the input device is not a TTY' >&2; exit 1",
      13,
      /not a TTY[^]*exec -T/,
    ],
    'it has no psql': ['env PATH=/nowhere /bin/sh', 12, /no usable (?:psql|pg_dump) behind/],
    'it is called without its input': [
      'exec sh </dev/null',
      13,
      /ran nothing \(exit code 0\)[^]*`docker exec -i`/,
    ],
    'it breaks off when psql has its connection': [
      "sh | sed -u '/-start$/q'; exit 0",
      13,
      /\(POSTGRES_EXEC\) ended before psql did \(exit code 0\)/,
    ],
  };

  test.each(Object.entries(scripts))('%s', async (_, [script, exitCode, message]) => {
    const { env, directory } = await backedUp();
    const before = await readdir(directory);
    const exec = join(await temporaryDirectory(), 'exec');
    await writeFile(exec, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const settings = {
      ...env,
      POSTGRES_EXEC: exec,
      PGCONNECT_TIMEOUT: '1',
    };
    for (const args of [['backup'], ['restore', '--yes']]) {
      const run = await runTool(args, { env: settings });
      expect(run).toExitWith(exitCode);
      expect(run.stderr).toMatch(message);
      expect(run.stderr).toContain('hint: ');
    }
    expect((await readdir(directory)).filter((name) => name.endsWith('.gz'))).toEqual(
      before.filter((name) => name.endsWith('.gz')),
    );
  });

  test('it is not there', async () => {
    const { env } = await backedUp();
    const run = await runTool(['backup'], { env: throughDocker(env, 'dokcer exec -i db') });
    expect(run).toExitWith(12);
    expect(run.stderr).toContain('dokcer: no such command (POSTGRES_EXEC)');
  });

  test('a banner before and behind changes nothing', async () => {
    const { env, directory } = await backedUp();
    const container = await docker();
    const exec = join(await temporaryDirectory(), 'exec');
    const [client] = container.exec.split(' ');
    await writeFile(
      exec,
      `#!/bin/sh\necho Welcome; printf 'to the machine'; ${client ?? ''} exec -i db "$@"; code=$?; echo Bye; exit $code\n`,
      { mode: 0o755 },
    );
    const settings = { ...throughDocker(env, exec), PATH: process.env.PATH ?? '' };
    expect(await runTool(['backup'], { env: settings })).toExitWith(0);
    expect(await runTool(['verify'], { env: settings })).toExitWith(0);
    expect(await runTool(['restore', '--yes'], { env: settings })).toExitWith(0);
    expect(
      (await readFile(join(directory, 'pratiko_backup_latest.sql.gz'))).length,
    ).toBeGreaterThan(0);
  });

  test.each([
    ['something else writes in between', String.raw`s/^77777$/77777\ncron: mail from root/`],
    ['a piece is missing', '/^77777$/d'],
  ])('a dump is refused where %s', async (_, edit) => {
    const { env, directory } = await backedUp(
      'CREATE TABLE t AS SELECT generate_series(1, 200000) AS a;',
    );
    const backups = async () => (await readdir(directory)).filter((name) => name.endsWith('.gz'));
    const before = await backups();
    const client = join((await docker()).directory, 'docker');
    const exec = join(await temporaryDirectory(), 'exec');
    const script = `#!/bin/sh\n'${client}' exec -i db "$@" | sed -u '${edit}'\n`;
    await writeFile(exec, script, { mode: 0o755 });
    const settings = { ...throughDocker(env, exec), PATH: process.env.PATH ?? '' };
    const run = await runTool(['backup'], { env: settings });
    expect(run).toExitWith(20);
    expect(run.stderr).toContain('what pg_dump wrote did not arrive as it was');
    expect(await backups()).toEqual(before);
  });

  test('where nothing there can tell whether all of a dump arrives, that is told', async () => {
    const { run, directory } = await behindDocker();
    const bare = await temporaryDirectory();
    for (const name of ['sh', 'sleep', 'env']) await symlink(`/bin/${name}`, join(bare, name));
    await writeFile(
      join(directory, 'container.json'),
      JSON.stringify({ ...(await inside(directory)), PATH: bare }),
    );
    const backup = await run(['backup'], { PG_BIN_DIR: dirname(server.psql.path) });
    expect(backup).toExitWith(12);
    expect(backup.stderr).toMatch(/cannot be told[^]*`tee` and `cksum`/);
  });

  test.each([
    ["docker exec 'db", /every quote is closed/],
    ['docker exec db | cat', /no shell/],
    ['docker exec db>log', /no shell/],
    ['docker exec $DB', /no shell/],
    ['docker exec db;', /no shell/],
    ['PGUSER=x docker exec db', /env NAME=value/],
    ['~/bin/docker exec db', /without ~/],
    ["''", /a command with its words/],
  ])('%s is refused', async (exec, message) => {
    const { env } = await backedUp();
    const run = await runTool(['backup'], { env: { ...env, POSTGRES_EXEC: exec } });
    expect(run).toExitWith(2);
    expect(run.stderr).toMatch(message);
  });
});

const inside = async (directory: string) =>
  JSON.parse(await readFile(join(directory, 'container.json'), 'utf8')) as Record<string, string>;

/** Looks at every command line on this machine, at both ends, as `ps` shows them. */
class Watch {
  readonly #texts: readonly string[];
  readonly found: string[] = [];
  seen = 0;

  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  async until(running: Promise<unknown>): Promise<void> {
    const done = running.then(() => 'done');
    while ((await Promise.race([done, sleep(1)])) !== 'done') {
      for (const pid of await readdir('/proc')) {
        if (!/^\d+$/.test(pid)) continue;
        const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
        if (/psql|pg_dump|docker/.test(line)) this.seen += 1;
        // The server itself says in its title which database a session is in.
        if (line.startsWith('postgres: ')) continue;
        if (this.#texts.some((text) => line.includes(text))) this.found.push(line);
      }
    }
  }
}
