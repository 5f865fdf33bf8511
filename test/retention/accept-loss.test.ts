import { readdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ageBy } from '../support/age-by.ts';
import { backedUp } from '../support/backed-up.ts';
import { sql } from '../support/server.ts';
import { startWebhook } from '../support/slack.ts';
import { askAtTerminal } from '../support/terminal.ts';

test('the incident: what was lost stays until a person says that nothing is missing', async () => {
  const { database, directory, run, env } = await backedUp(
    'CREATE TABLE documents AS SELECT generate_series(1, 31) AS n; CREATE TABLE logs AS SELECT generate_series(1, 5000) AS n;',
  );
  await ageBy(directory, 30);
  await sql(database, 'TRUNCATE documents;');
  const [full = ''] = (await readdir(directory)).filter((name) => /\d\.sql\.gz$/.test(name));
  for (let night = 1; night <= 3; night += 1) {
    const { stderr } = await run(['backup']);
    expect(stderr).toContain(`public.documents has 0 rows (31 in ${full})`);
  }
  const dry = await run(['prune', '--dry-run', '--retention-days', '1']);
  expect(dry.stdout).toMatch(/^keep .*20\d{6}.* {2}holds what was lost since/m);
  expect(await readdir(directory)).toContain(full);

  const tried = await run(['prune', '--dry-run', '--accept-loss', '--retention-days', '1']);
  expect(tried.stdout).toContain(`remove  ${full}`);
  expect(await readdir(directory)).toContain(full);

  expect(await run(['prune', '--accept-loss'])).toExitWith(2);
  const asked = await askAtTerminal(['prune', '--accept-loss', '--retention-days', '1'], env, [
    'no',
    database,
  ]);
  expect(asked.screen).toContain(`database "${database}" has lost rows: `);
  expect(asked.screen).toContain(`that was not "${database}"; nothing is changed until it is`);
  expect(asked.exitCode).toBe(0);
  expect(await readdir(directory)).not.toContain(full);

  const { stderr } = await run(['backup']);
  expect(stderr).not.toContain('public.documents');
  await sql(database, 'TRUNCATE logs;');
  expect((await run(['backup'])).stderr).toContain('WARN: it holds 0 rows; ');
}, 120_000);

test('what was lost in steps stays, one backup for each step', async () => {
  const { database, directory, run } = await backedUp(
    'CREATE TABLE documents AS SELECT generate_series(1, 3204) AS n; CREATE TABLE logs AS SELECT generate_series(1, 50000) AS n;',
  );
  const names = async () =>
    (await readdir(directory)).filter((name) => /\d\.sql\.gz$/.test(name)).sort();
  await ageBy(directory, 16);
  const [full = ''] = await names();
  await sql(database, 'DELETE FROM documents WHERE n > 30;');
  expect((await run(['backup', '--no-prune'])).stderr).toContain(`(3,204 in ${full})`);
  await ageBy(directory, 8);
  const [first = '', second = ''] = await names();
  await sql(database, 'TRUNCATE documents;');
  for (let night = 1; night <= 3; night += 1) {
    const { stderr } = await run(['backup']);
    expect(stderr).toContain(`public.documents has 0 rows (30 in ${second})`);
    expect(stderr).toContain(`public.documents has 0 rows (3,204 in ${first})`);
    expect(stderr).toContain(`restore ${/\d{8}_\d{6}/.exec(first)?.[0] ?? ''} --to NEW_DATABASE`);
  }
  expect(await names()).toEqual(expect.arrayContaining([first, second]));
  const { stdout } = await run(['prune', '--dry-run', '--retention-days', '1']);
  expect(stdout.match(/^keep .* {2}holds what was lost since/gm)).toHaveLength(2);
});

test('a database without tables is told: it may be the wrong one', async () => {
  const { run } = await backedUp('CREATE SCHEMA s;');
  const { stderr, exitCode } = await run(['backup']);
  expect(stderr).toMatch(/WARN: database "\S+" has no tables: this backup holds nothing; hint: /);
  expect(exitCode).toBe(0);
});

test('a record of accepted losses that cannot be read costs neither a backup nor a restore', async () => {
  const { directory, run } = await backedUp();
  await writeFile(join(directory, 'pratiko_backup_accepted_loss.json'), 'garbage');
  const { url, messages } = await startWebhook();
  const made = await run(['backup'], { env: { SLACK_WEBHOOK_URL: url } });
  expect(made).toExitWith(3);
  expect(made.stderr).toMatch(
    /the backup is safe, but it could not be compared with older ones: \S+ makes no sense; and old backups could not be removed: .*; hint: remove it: /,
  );
  expect(messages[0]).toContain('is safe, but a later step failed');
  const newest = (await readdir(directory))
    .filter((name) => /\d\.sql\.gz$/.test(name))
    .sort()
    .at(-1);
  expect(await readlink(join(directory, 'pratiko_backup_latest.sql.gz'))).toBe(newest);
  const restored = await run(['restore', '--yes']);
  expect(restored.stderr.split('whether an older backup holds more is not known: ')).toHaveLength(
    2,
  );
  expect(restored).toExitWith(0);
});
