import { execa } from 'execa';
import { expect, test } from 'vitest';
import { describeError } from '../../src/edge/describe-error.ts';
import { bin, temporaryDirectory } from '../support/cli.ts';
import { withOneBackup } from '../support/aged-backups.ts';
import { expectSound } from '../support/invariants.ts';

const sqlText = 'CREATE TABLE t AS SELECT generate_series(1, 100) AS a;';

/** Runs a shell line in which `$TOOL` is the tool; gives the exit code of the tool. */
async function shell(line: string, env: Readonly<Record<string, string>>) {
  const tool = `'${process.execPath}' '${bin}' --env-file /dev/null`;
  const { exitCode, stdout } = await execa(
    'bash',
    ['-c', `${line.replaceAll('TOOL', tool)}; exit "\${PIPESTATUS[0]}"`],
    { env, extendEnv: false, reject: false },
  );
  return { exitCode, stdout };
}

test.each([
  ['stderr is closed', 'TOOL backup 2>&-'],
  ['stderr is full', 'TOOL backup 2>/dev/full'],
  ['both are full', 'TOOL backup >/dev/full 2>&1'],
  ['both are closed', 'TOOL backup >&- 2>&-'],
  ['its reader goes away at once', 'TOOL backup 2>&1 | true'],
  ['its reader goes away after a byte', 'TOOL backup --log-format json --verbose 2>&1 | head -c 1'],
])('a backup is made also where %s', async (_, line) => {
  const { env, directory, run } = await withOneBackup(sqlText);
  expect(await shell(line, env)).toExitWith(0);
  await expectSound(directory);
  const listed = JSON.parse((await run(['list', '--json'])).stdout) as { backups: unknown[] };
  expect(listed.backups).toHaveLength(2);
});

test('a terminal that goes away ends a run as SIGHUP does, not as a crash', async () => {
  const { env, directory } = await withOneBackup(sqlText);
  const line = `script -qec "TOOL verify --all" /dev/null < /dev/null > /dev/full`;
  expect([0, 129]).toContain((await shell(line, env)).exitCode);
  await expectSound(directory);
});

test.each(['list', 'list --json', 'verify', 'prune --dry-run'])(
  'a result that cannot be written is an error: %s > /dev/full',
  async (command) => {
    const { env } = await withOneBackup(sqlText);
    expect(await shell(`TOOL ${command} >/dev/full`, env)).toExitWith(14);
    expect(await shell(`TOOL ${command} | true`, env)).toExitWith(0);
  },
);

test('in a directory that is gone, an error says so', async () => {
  const { env } = await withOneBackup('CREATE TABLE t AS SELECT 1 AS a;');
  const there = await temporaryDirectory();
  const gone = `cd ${there} && rmdir ${there} && exec ${process.execPath} ${bin} list`;
  const away = await execa('sh', ['-c', gone], { env, reject: false });
  expect(away.stderr).toContain(
    'the directory where you are is not there any more; hint: go to another',
  );
  expect(away.exitCode).toBe(2);
});

test('that the system is short of something is no bug', () => {
  const error = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
  expect(describeError(error)?.result).toMatchObject({ code: 1, message: error.message });
  expect(describeError(error)?.result.hint).toContain('ulimit -a');
});
