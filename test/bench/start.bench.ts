import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';
import { median } from './report.ts';
import { openStage } from './stage.ts';

const rounds = Number(process.env.BENCH_STARTS ?? 21);
const bin = fileURLToPath(new URL('../../bin/pratiko-backup.js', import.meta.url));

/** What must be quick, for a person waits: as a ratio to a Node that does nothing, in the same round. */
test('start-up', async () => {
  await using stage = await openStage();
  await stage.shell('createdb empty');
  const backups = join(stage.directory, 'empty');
  await mkdir(backups, { mode: 0o700 });
  const tool = [bin, '--env-file', '/dev/null', '--quiet'];
  const contenders: [name: string, args: string[]][] = [
    ['node -e 0', ['-e', '0']],
    ['pratiko-backup --help', [...tool, '--help']],
    ['pratiko-backup list', [...tool, 'list', '--backup-dir', backups]],
    [
      'pratiko-backup backup, of an empty database',
      [...tool, 'backup', '--dbname', 'empty', '--backup-dir', backups],
    ],
  ];
  const times = new Map<string, number[]>(contenders.map(([name]) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    await stage.shell(`rm -f ${backups}/pratiko_backup_2*`); // else its name waits for the next second
    for (const [name, args] of contenders) {
      const started = performance.now();
      execFileSync(process.execPath, args, { env: stage.env, stdio: 'ignore' });
      if (round > 0) times.get(name)?.push(performance.now() - started);
    }
  }
  const nodes = times.get('node -e 0') ?? [];
  const rows = [...times].map(([name, each]) => {
    const ratio = median(each.map((ms, round) => ms / (nodes[round] ?? NaN)));
    return `| ${name} | ${median(each).toFixed(0)} ms | ${ratio.toFixed(1)} × |`;
  });
  console.log(
    [
      '',
      `${rounds} paired rounds`,
      '',
      '| | median | of node |',
      '| --- | --- | --- |',
      ...rows,
      '',
    ].join('\n'),
  );
});
