import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fakePgDump } from '../support/fake-tool.ts';
import { killGroup, launch, untilDumping } from '../support/launch.ts';
import { prepared } from '../support/aged-backups.ts';
import { databasesLike, sql } from '../support/server.ts';
import { startWebhook } from '../support/slack.ts';
import { expectNoSessions, expectSound, expectTidy } from '../support/invariants.ts';
import { hasStrace, inject } from '../support/strace.ts';

const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
const signals = Object.keys(exitCodes) as (keyof typeof exitCodes)[];
const latest = 'pratiko_backup_latest.sql.gz';

describe.each(signals)('%s in the middle of the dump', (signal) => {
  test.each([
    ['of the tool alone', (running: ReturnType<typeof launch>) => void running.kill(signal)],
    ['of its process group', (running: ReturnType<typeof launch>) => killGroup(running, signal)],
  ])('%s', async (_, send) => {
    const { database, directory, young, env } = await prepared();
    const before = await readlink(join(directory, latest));
    const { url, messages } = await startWebhook();
    const fake = await fakePgDump(
      "printf -- '--\\n-- PostgreSQL database dump\\n'; exec sleep 600",
    );
    const running = launch(['backup'], { ...env, PG_BIN_DIR: fake, SLACK_WEBHOOK_URL: url });
    await untilDumping(directory, 0);

    send(running);

    const { exitCode, stderr } = await running;
    expect(exitCode).toBe(exitCodes[signal]);
    expect(stderr).toContain(`ERROR: interrupted by ${signal}`);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toContain(`interrupted by ${signal}`);
    expect(await readlink(join(directory, latest))).toBe(before);
    await expectSound(directory, young);
    await expectTidy(directory);
    await expectNoSessions(database);
  });
});

describe.runIf(hasStrace)('SIGTERM aimed at', () => {
  test.each([
    ['fsync', 1, 'the dump is complete but not synced'],
    ['rename', 1, 'the manifest gets its name'],
    ['rename', 2, 'the backup gets its name'],
    ['rename', 3, 'the new link replaces the old one'],
    ['unlink', 2, 'retention removes a backup'],
  ])('%s %d: %s', async (call, when) => {
    const { database, directory, young, env } = await prepared();
    const { url, messages } = await startWebhook();
    const { exitCode } = await launch(
      ['backup'],
      { ...env, SLACK_WEBHOOK_URL: url },
      inject(call, 'signal=TERM', when),
    );
    expect(exitCode).toBe(143);
    expect(messages).toHaveLength(1);
    await expectSound(directory, young);
    await expectTidy(directory);
    await expectNoSessions(database);
  });
});

test('a pg_dump that ignores signals is killed, and a second signal ends the tool at once', async () => {
  const { database, directory, young, env, run } = await prepared();
  const { url } = await startWebhook(() => undefined);
  const fake = await fakePgDump("trap '' TERM INT HUP; while :; do sleep 1; done");
  const running = launch(['backup'], { ...env, PG_BIN_DIR: fake, SLACK_WEBHOOK_URL: url });
  await untilDumping(directory, 0);
  running.kill('SIGTERM');
  await expect
    .poll(async () => (await readdir(directory)).some((name) => name.endsWith('.partial')))
    .toBe(false);
  running.kill('SIGINT'); // while it waits for Slack
  expect(await running).toExitWith(130);
  await expectSound(directory, young);
  await expectNoSessions(database);
  expect(await run(['backup'])).toExitWith(0);
  await expectTidy(directory);
});

test.each(signals)(
  '%s during a restore drops the scratch database and leaves the live one',
  async (signal) => {
    const { database: original, env, directory } = await prepared(300_000);
    const database = `live_${original}`;
    await sql('postgres', `CREATE DATABASE ${database} TEMPLATE ${original};`);
    onTestFinished(() => sql('postgres', `DROP DATABASE ${database};`).then(() => undefined));
    await sql(database, 'DELETE FROM t WHERE n = 1;');
    const running = launch(['restore', '--yes', '--to', database], env);
    await expect.poll(() => databasesLike(`${database}_restore`), { interval: 10 }).toHaveLength(1);

    running.kill(signal);

    const { exitCode, stderr } = await running;
    expect(stderr).toContain(`interrupted by ${signal}`);
    expect(exitCode).toBe(exitCodes[signal]);
    expect(await databasesLike(database)).toEqual([database]);
    expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('299999');
    await expectTidy(directory);
  },
);
