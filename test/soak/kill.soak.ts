import { readdir } from 'node:fs/promises';
import { test } from 'vitest';
import { readLatest } from '../../src/backup-directory/latest.ts';
import { killGroup, launch } from '../support/launch.ts';
import { expectRecovery, prepared } from '../support/aged-backups.ts';
import { expectNoSessions, expectSound } from '../support/invariants.ts';
import { sql } from '../support/server.ts';

const kills = Number(process.env.SOAK_KILLS ?? 300);

/** What a killed run had come to, told by what it left. */
async function instantOf(directory: string, before: readonly string[]): Promise<string> {
  const names = (await readdir(directory)).filter((name) => !before.includes(name));
  const has = (pattern: RegExp) => names.some((name) => pattern.test(name));
  const published = names.find((name) => /^pratiko_backup_\d.*\.sql\.gz$/.test(name));
  if (published !== undefined) {
    const latest = await readLatest(directory);
    if (latest === undefined || !published.includes(latest)) return '7 published, link not moved';
    return has(/\.lock$/) ? '8 link moved, lock held' : '9 finished';
  }
  if (has(/^pratiko_backup_.*manifest\.json$/)) return '6 manifest named, backup not';
  if (has(/manifest\.json\.partial$/)) return '5 manifest being written';
  if (has(/sql\.gz\.partial$/)) return '4 dumping, syncing or verifying';
  return has(/\.lock$/) ? '3 lock held, no file yet' : '2 before the lock';
}

test(`${kills} kills at random instants, under load`, async () => {
  const made = await prepared(20_000);
  const load = new AbortController();
  const loading = (async () => {
    while (!load.signal.aborted)
      await sql('postgres', 'SELECT sum(sqrt(n)) FROM generate_series(1, 500000) AS n;');
  })();
  const instants = new Map<string, number>();
  let longest = 900;
  for (let round = 0; round < kills; round += 1) {
    const before = await readdir(made.directory);
    const started = performance.now();
    const running = launch(['backup', '--no-prune'], made.env);
    const timer = setTimeout(() => killGroup(running), Math.random() * longest);
    const { signal } = await running;
    clearTimeout(timer);
    if (signal === undefined) longest = 0.9 * longest + 0.1 * (performance.now() - started);
    await expectSound(made.directory, made.young);
    const instant = await instantOf(made.directory, before);
    instants.set(instant, (instants.get(instant) ?? 0) + 1);
    if (round % 20 === 19) {
      await expectNoSessions(made.database);
      await made.run(['prune']);
    }
  }
  load.abort();
  await loading;
  await expectRecovery(made);
  console.log(`\n${kills} kills, every backup whole each time. Instants hit:`);
  for (const [instant, count] of [...instants].sort())
    console.log(`${String(count).padStart(6)}  ${instant.slice(2)}`);
});
