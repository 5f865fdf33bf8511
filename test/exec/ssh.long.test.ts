import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { backedUp } from '../support/backed-up.ts';
import { runTool } from '../support/cli.ts';
import { launch } from '../support/launch.ts';
import { sql } from '../support/server.ts';
import { hold, ours, sessionThat, waits } from '../support/sessions.ts';
import { hasSshd, sshd } from '../support/sshd.ts';

/** A database with a backup of it, and a host with PostgreSQL that ssh leads to. */
async function behindSsh(settings: readonly string[] = []) {
  const made = await backedUp();
  const host = await sshd(settings);
  const env = { ...made.env, POSTGRES_EXEC: host.exec() };
  return { ...made, ...host, env };
}

describe.skipIf(!hasSshd)('through a real ssh', () => {
  test('a backup, a drill and a restore work, whatever the host has to say', async () => {
    const { env, database, directory } = await behindSsh();
    const banner = join(directory, 'banner');
    await writeFile(banner, 'Only for members.\n');
    const host = await sshd([`Banner ${banner}`]);
    const settings = { ...env, POSTGRES_EXEC: host.exec() };
    expect(await runTool(['backup'], { env: settings })).toExitWith(0);
    expect(await runTool(['verify', '--restore'], { env: settings })).toExitWith(0);
    await sql(database, 'DELETE FROM t;');
    expect(await runTool(['restore', '--yes'], { env: settings })).toExitWith(0);
    expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1000');
  });

  test('with -tt it goes through a terminal, and that is refused', async () => {
    const { env, exec } = await behindSsh();
    const tty = { ...env, POSTGRES_EXEC: exec('-tt', '-o', 'StrictHostKeyChecking=no') };
    const run = await runTool(['backup'], { env: tty });
    expect(run).toExitWith(2);
    expect(run.stderr).toContain('goes through a terminal');
    expect(run.stderr).toContain('`ssh -T`');
  });

  test('a host that is not known, a key that is not accepted, a port on which nobody listens', async () => {
    const { env, exec, network } = await behindSsh();
    const unknown = await runTool(['backup'], {
      env: { ...env, POSTGRES_EXEC: exec('-o', 'StrictHostKeyChecking=ask') },
    });
    expect(unknown).toExitWith(13);
    expect(unknown.stderr).toMatch(/Host key verification failed[^]*connect once by hand/);
    const other = await sshd();
    const denied = await runTool(['backup'], {
      env: {
        ...env,
        POSTGRES_EXEC: exec('-o', 'StrictHostKeyChecking=no', '-o', 'IdentitiesOnly=yes').replace(
          /-i \S+/,
          `-i ${join(other.directory, 'key')}`,
        ),
      },
    });
    expect(denied).toExitWith(13);
    expect(denied.stderr).toMatch(/Permission denied[^]*without passphrase/);
    network.close();
    const nobody = await runTool(['restore', '--yes'], { env });
    expect(nobody).toExitWith(13);
    expect(nobody.stderr).toContain('(POSTGRES_EXEC) ran nothing (exit code 255)');
  });

  test('when the network breaks while pg_dump runs, its session is gone before the backup has failed', async () => {
    const { env, database, network } = await behindSsh();
    await hold(database, 'LOCK TABLE t');
    const running = launch(['backup'], env);
    onTestFinished(() => void running.kill('SIGKILL'));
    await sessionThat(database, waits);
    network.cut();
    const { exitCode, stderr } = await running;
    expect(exitCode).toBe(20);
    expect(stderr).toContain('(POSTGRES_EXEC) ended before pg_dump did (exit code 255)');
    expect(await ours(database)).toBe('0');
  });

  test('where nothing passes and nobody says so, Ctrl-C ends it on the server all the same', async () => {
    const { env, database, network } = await behindSsh();
    await hold(database, 'LOCK TABLE t');
    const running = launch(['backup'], env);
    onTestFinished(() => void running.kill('SIGKILL'));
    await sessionThat(database, waits);
    network.freeze();
    running.kill('SIGINT');
    expect((await running).exitCode).toBe(130);
    expect(await ours(database)).toBe('0');
  });

  test('where the server cannot be asked, that is told with what ends the session', async () => {
    const { env, database, network } = await behindSsh();
    await hold(database, 'LOCK TABLE t');
    const running = launch(['backup'], env);
    onTestFinished(() => void running.kill('SIGKILL'));
    await sessionThat(database, waits);
    network.close();
    network.freeze();
    running.kill('SIGINT');
    const { exitCode, stderr } = await running;
    expect(exitCode).toBe(130);
    expect(stderr).toContain('it may be at work still');
    const [byHand = ''] = /SELECT pg_terminate_backend.*;/.exec(stderr) ?? [];
    expect(await sql('postgres', byHand)).toBe('t');
  });
});
