import { Client } from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { backedUp } from '../support/backed-up.ts';
import { reconnectingClients } from '../support/reconnecting.ts';
import { ordinaryUser } from '../support/roles.ts';
import { databasesLike, sql } from '../support/server.ts';

/** Ended by an administrator, as every session at the swap, or cut off at that. */
const ended = [
  '57P01',
  'ECONNRESET',
  'Connection terminated unexpectedly',
  'Client has encountered a connection error and is not queryable',
];

test('twenty clients that reconnect in a loop find the old database or the new one, never none', async () => {
  const { database, run } = await backedUp();
  await sql(database, 'UPDATE t SET a = 0;');
  const clients = reconnectingClients(20, database, 'SELECT sum(a) FROM t');
  await expect.poll(() => clients.answers.get('0')).toBeGreaterThan(20);

  const { exitCode, stderr } = await run(['restore', '--yes']);

  const since = clients.answers.get('500500') ?? 0;
  await expect.poll(() => clients.answers.get('500500')).toBeGreaterThan(since + 20);
  const answers = await clients.stop();
  expect(stderr).toContain(`restored "${database}"`);
  expect(exitCode).toBe(0);
  expect(
    [...answers.keys()].filter((answer) => !['0', '500500', ...ended].includes(answer)),
  ).toEqual([]);
});

test('a user who is no superuser restores under the load of its own clients', async () => {
  const { database, run } = await backedUp();
  const user = await ordinaryUser(database);
  await sql(database, 'UPDATE t SET a = 0;');
  const clients = reconnectingClients(5, database, 'SELECT sum(a) FROM t', {
    user: user.name,
    password: 'p',
  });
  const { exitCode, stderr } = await run(['restore', '--yes', '--drop-old'], { env: user.env });
  await clients.stop();
  expect(stderr).toContain(`restored "${database}"`);
  expect(exitCode).toBe(0);
  expect(await sql(database, 'SELECT sum(a) FROM t;')).toBe('500500');
});

test('where a session stays that may not be ended, nothing changes, and its holder is named', async () => {
  const { database, run } = await backedUp();
  const user = await ordinaryUser(database);
  await sql(database, 'DELETE FROM t;');
  const superuser = new Client({ ...inject('connection'), database, application_name: 'the boss' });
  await superuser.connect();
  onTestFinished(() => superuser.end());

  const { exitCode, stderr } = await run(['restore', '--yes'], { env: user.env });

  expect(stderr).toMatch(/WARN: process \d+ \(user "aifinance", the boss\) uses database/);
  expect(stderr).toContain('the databases cannot be swapped');
  expect(stderr).toMatch(
    /hint: stop what keeps it busy: process \d+ \(user "aifinance", the boss, /,
  );
  expect(exitCode).toBe(22);
  expect((await superuser.query('SELECT count(*)::int AS n FROM t')).rows).toEqual([{ n: 0 }]);
  expect(await databasesLike(database)).toEqual([database]);
});

test('--undo swaps the previous database in again, and once more the other way', async () => {
  const { database, run } = await backedUp();
  await sql(database, 'DELETE FROM t;');
  const count = () => sql(database, 'SELECT count(*) FROM t;');
  expect(await run(['restore', '--undo', '--yes'])).toExitWith(10);
  await run(['restore', '--yes']);
  expect(await count()).toBe('1000');

  const undone = await run(['restore', '--undo', '--yes']);
  expect(undone.stderr).toContain(
    `"${database}" is again the database that was kept as "${database}_before_`,
  );
  expect(undone.exitCode).toBe(0);
  expect(await count()).toBe('0');

  const [, kept] = await databasesLike(database);
  const listed = await run(['list']);
  expect(listed.stdout).toMatch(
    new RegExp(
      `kept by an earlier restore of "${database}" on \\S+: "${kept}" \\([\\d.]+ MB\\); to remove it: DROP DATABASE "${kept}";`,
    ),
  );
  const preview = await run(['restore', '--undo', '--dry-run', '--json']);
  expect(JSON.parse(preview.stdout)).toMatchObject({
    dryRun: true,
    plan: { returning: { name: kept } },
  });
  expect(await count()).toBe('0');

  expect(await run(['restore', '--undo', '--yes'])).toExitWith(0);
  expect(await count()).toBe('1000');
  expect(await databasesLike(database)).toHaveLength(2);

  await sql('postgres', `DROP DATABASE ${database};`);
  const lost = await run(['restore', '--undo', '--yes']);
  expect(lost.stderr).toContain(`there is no database "${database}"`);
  expect(lost.stderr).toMatch(
    /`pratiko-backup restore --config .*` takes the latest backup instead/,
  );
  expect(lost.exitCode).toBe(0);
  expect(await count()).toBe('0');
});

test('the comment of a database that was kept by the first version comes back', async () => {
  const { database, run } = await backedUp();
  expect(await run(['restore', '--yes'])).toExitWith(0);
  const [, kept = ''] = await databasesLike(database);
  await sql(
    'postgres',
    `COMMENT ON DATABASE "${kept}" IS 'kept by pratiko-backup: {"target":"${database}","transaction":1,"comment":"it''s mine"}';`,
  );
  expect(await run(['restore', '--undo', '--yes'])).toExitWith(0);
  const comment = `SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '${database}';`;
  expect(await sql('postgres', comment)).toBe("it's mine");
});

test('what a restore kept of another database is shown, with the command that brings it back', async () => {
  const { database, run } = await backedUp();
  const copy = `${database}_copy`;
  await run(['restore', '--yes', '--to', copy]);
  const { stderr } = await run(['restore', '--yes', '--to', copy]);
  expect(stderr).toMatch(
    new RegExp(
      `to take the restore back: \`pratiko-backup restore --undo --config /dev/null --backup-dir \\S+ --host \\S+ --port \\d+ --username \\S+ --to ${copy}\`$`,
      'm',
    ),
  );

  const { stdout } = await run(['list']);
  expect(stdout).toContain(`kept by an earlier restore of "${copy}" on `);
  expect(await run(['restore', '--undo', '--yes'])).toExitWith(10);
  expect(await run(['restore', '--undo', '--yes', '--to', copy])).toExitWith(0);
});

test('a kept database that somebody has given its name back is a database like any other', async () => {
  const { database, run } = await backedUp();
  await sql('postgres', `COMMENT ON DATABASE ${database} IS 'of the team';`);
  await run(['restore', '--yes']);
  const [, kept] = await databasesLike(database);
  await sql('postgres', `DROP DATABASE ${database};`);
  expect((await run(['restore', '--dry-run'])).stderr).toContain(`hint: to have that back:`);
  await sql('postgres', `ALTER DATABASE "${kept}" RENAME TO ${database};`);

  expect((await run(['list'])).stdout).not.toContain(database);
  expect(await run(['restore', '--undo', '--yes'])).toExitWith(10);
  expect(await run(['restore', '--yes', '--drop-old'])).toExitWith(0);
  const comment = `SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '${database}';`;
  expect(await sql('postgres', comment)).toBe('of the team');
});

test('a kept database whose comment somebody has changed is left out', async () => {
  const { database, run } = await backedUp();
  await run(['restore', '--yes']);
  const [, kept] = await databasesLike(database);
  for (const comment of ['kept by pratiko-backup: do not drop!', 'kept by pratiko-backup: {}']) {
    await sql('postgres', `COMMENT ON DATABASE "${kept}" IS '${comment}';`);
    expect(await run(['restore', '--yes', '--drop-old'])).toExitWith(0);
  }
  expect(await databasesLike(database)).toEqual([database, kept]);
  expect((await run(['list'])).stdout).not.toContain(kept);
});

test.each([
  [['--undo', 'latest'], '--undo takes no file'],
  [['--undo', '--salvage'], 'give --undo or --salvage'],
  [['--undo', '--drop-old'], 'leave out --drop-old'],
  [['--undo', '--no-owner'], 'leave out --no-owner'],
  [['--salvage', '--dry-run'], 'leave out --dry-run'],
])('%j is refused', async (args, message) => {
  const { run } = await backedUp();
  const { exitCode, stderr } = await run(['restore', '--yes', ...args]);
  expect(stderr).toContain(message);
  expect(exitCode).toBe(2);
});
