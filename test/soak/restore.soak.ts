import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { childrenOf, killEach, killGroup, launch, type Launched } from '../support/launch.ts';
import { prepared } from '../support/aged-backups.ts';
import { databasesLike, dropLike, sql } from '../support/server.ts';

const kills = Number(process.env.SOAK_KILLS ?? 300);
const rows = 60_000;

/** Each ends something of a running restore, if it is still there. */
const victims: Record<string, (running: Launched, live: string) => Promise<unknown>> = {
  tool: (running) =>
    Promise.resolve().then(() => {
      killGroup(running);
    }),
  psql: async ({ pid }) => {
    const children = await childrenOf(pid, 'ON_ERROR_STOP=1');
    const child = children[Math.floor(Math.random() * children.length)];
    if (child !== undefined) killEach([child]);
  },
  backend: (_, live) =>
    sql(
      'postgres',
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name LIKE 'pratiko-backup%' AND pid <> pg_backend_pid()
          AND (starts_with(datname, '${live}') OR query LIKE '%${live}%') ORDER BY random() LIMIT 1;`,
    ),
};

test(`${kills} kills of restores at random instants`, async () => {
  const made = await prepared(rows);
  const live = `live_${made.database}`;
  await sql('postgres', `CREATE DATABASE ${live} TEMPLATE ${made.database};`);
  const arguments_ = ['restore', '--yes', '--to', live];
  const outcomes = new Map<string, number>();
  const failedBy = new Set<string>();
  let longest = 1500;
  for (let round = 0; round < kills; round += 1) {
    const [victim = '', kill] = Object.entries(victims)[round % 3] ?? [];
    // One row more than the backup has: it tells the present database from the restored one.
    await sql(live, `DELETE FROM t WHERE n > ${rows}; INSERT INTO t VALUES (${rows + 1});`);
    const started = performance.now();
    const running = launch(arguments_, made.env);
    await sleep(Math.random() * longest);
    await kill?.(running, live).catch(() => undefined); // it can have ended
    const { signal, exitCode, stderr } = await running;
    if (exitCode === 0) longest = 0.9 * longest + 0.1 * (performance.now() - started);

    const count = await sql(live, 'SELECT count(*) FROM t;');
    expect([String(rows), String(rows + 1)], stderr).toContain(count);
    const isSwapped = count === String(rows);
    if (exitCode === 0) expect(isSwapped, stderr).toBe(true);
    if (signal === undefined && exitCode !== 0) {
      expect([13, 22], stderr).toContain(exitCode); // 13: before it began to load
      expect(isSwapped, stderr).toBe(false);
    }
    if (exitCode !== 0) failedBy.add(victim);
    const outcome = `${victim}: ${signal ?? `exit ${exitCode}`}, ${isSwapped ? 'the new' : 'the old'} database`;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    for (const name of await databasesLike(`${live}_before_`)) await dropLike(name);
  }
  expect(await made.run([...arguments_, '--drop-old'])).toExitWith(0);
  expect(await databasesLike(live)).toEqual([live]);
  await dropLike(live);
  expect([...failedBy].sort(), 'each kind of kill has hit').toEqual(Object.keys(victims).sort());
  console.log(`\n${kills} kills, one whole database each time:`);
  for (const [outcome, count] of [...outcomes].sort())
    console.log(`${String(count).padStart(6)}  ${outcome}`);
});
