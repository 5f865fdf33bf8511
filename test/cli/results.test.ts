import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import {
  restorePlanResult,
  restoreResult,
  salvageResult,
  undoPlanResult,
  undoResult,
} from '../../src/cli/restore-results.ts';
import { detailsResult, diffResult } from '../../src/cli/inside-results.ts';
import {
  backupResult,
  copyResult,
  drillResult,
  errorResult,
  keygenResult,
  listResult,
  pruneResult,
  verifyResult,
} from '../../src/cli/results.ts';
import { exitCodes } from '../../src/base/errors.ts';
import { doctorResult, scheduleResult, statusResult } from '../../src/cli/status-results.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { createProgram } from '../../src/program.ts';
import { resultSchemas } from '../../src/cli/schemas.ts';
import { backedUp, handMade } from '../support/backed-up.ts';
import { runTool } from '../support/cli.ts';
import { copyToAges } from '../support/invariants.ts';

type Made = Awaited<ReturnType<typeof backedUp>>;

const ajv = new Ajv2020();
addFormats.default(ajv, ['date-time']);

/** What the tool itself says that a command prints. */
const promisedBy = async (command: string) => {
  const ending = await runTool([command, '--json-schema', '--no-such-option'], {});
  expect(ending).toExitWith(0);
  return ajv.compile(JSON.parse(ending.stdout) as object);
};
const promised = new Map<string, ReturnType<typeof promisedBy>>();

/**
 * Runs a command with `--json` and checks what it prints, which is the whole of stdout: by our schema, and by
 * the one that `--json-schema` prints.
 */
async function printed<Schema extends z.ZodType>(
  { run }: Pick<Made, 'run'>,
  schema: Schema,
  exitCode: number,
  ...args: string[]
): Promise<z.output<Schema>> {
  const ending = await run([...args, '--json']);
  expect(ending).toExitWith(exitCode);
  const value: unknown = JSON.parse(ending.stdout);
  const [command = ''] = args;
  if (command === 'no-such-command') return schema.parse(value);
  if (!promised.has(command)) promised.set(command, promisedBy(command));
  const validate = await promised.get(command);
  expect(validate?.(value), JSON.stringify(validate?.errors)).toBe(true);
  return schema.parse(value);
}

test('backup, list, verify and prune print what their schemas promise', async () => {
  const made = await backedUp();
  const report = await printed(made, backupResult, 0, 'backup');
  expect(report.tables).toEqual([{ table: 'public.t', rows: 1000, bytes: 3893 }]);

  await copyToAges(made.directory, [40, 30, 20]);
  await writeFile(join(made.directory, 'pratiko_backup_20240101_000000.sql.gz'), 'no gzip');
  await writeFile(join(made.directory, 'pratiko_backup_20250101_000000 (1).sql.gz'), '');
  const listed = await printed(made, listResult, 0, 'list');
  expect(listed.backups.map(({ state }) => state)).toContain('unverified');
  expect(listed.notCounted).toHaveLength(1);
  await printed(made, listResult, 0, 'list', '--port', '1');

  await printed(made, detailsResult, 0, 'list', 'latest');
  await printed(made, detailsResult, 0, 'list', '20240101');
  await printed(made, diffResult, 0, 'diff', '20240101', 'latest');
  await printed(made, diffResult, 0, 'diff', 'latest', 'latest', '--content');

  const key = join(made.directory, 'identity.txt');
  expect((await printed(made, keygenResult, 0, 'keygen', '-o', key)).file).toBe(key);
  await printed(made, verifyResult, 0, 'verify');
  await printed(made, drillResult, 0, 'verify', '--restore');
  const drilled = await printed(made, listResult, 0, 'list');
  expect(drilled.backups[0]?.drill?.outcome).toBe('passed');
  const all = await printed(made, verifyResult, 21, 'verify', '--all');
  expect(all.backups.filter(({ good }) => !good)).toHaveLength(1);

  const planned = await printed(made, pruneResult, 0, 'prune', '--dry-run');
  expect(planned.decisions.some(({ action }) => action === 'remove')).toBe(true);
  await printed(made, pruneResult, 0, 'prune', '--accept-loss', '--yes');
});

test('a restore, its dry run, its undo, and what is listed of them', async () => {
  const made = await backedUp();
  const { plan } = await printed(made, restorePlanResult, 0, 'restore', '--dry-run');
  expect(plan).toMatchObject({ backup: made.path, database: made.database });
  const restored = await printed(made, restoreResult, 0, 'restore', '--yes');
  const { previous } = restored;
  const listed = await printed(made, listResult, 0, 'list');
  expect(listed.previousDatabases).toContainEqual(
    expect.objectContaining({ name: previous, target: made.database }),
  );
  const undoing = await printed(made, undoPlanResult, 0, 'restore', '--undo', '--dry-run');
  expect(undoing.plan.returning.name).toBe(previous);
  const undone = await printed(made, undoResult, 0, 'restore', '--undo', '--yes');
  expect(undone).toMatchObject({ database: made.database, was: previous });
  const fresh = `${made.database}_new`;
  const planned = await printed(made, restorePlanResult, 0, 'restore', '--to', fresh, '--dry-run');
  expect(planned.plan).toMatchObject({ previous: null, comparison: null });
});

test('what is left out, and what is rescued', async () => {
  const made = await backedUp();
  const path = await handMade(
    made.directory,
    'CREATE TABLE public.good (a integer);\nCREATE TABLE public.bad (b public.no_such_type);\n' +
      'COPY public.good (a) FROM stdin;\n1\n\\.\n\nCOPY public.bad (b) FROM stdin;\nx\n\\.\n\n',
  );
  const restored = await printed(
    made,
    restoreResult,
    0,
    'restore',
    path,
    '--yes',
    '--skip-refused',
  );
  expect(restored.refusedTables).toEqual([{ table: 'public.bad', rows: 1 }]);

  const bytes = await readFile(made.path);
  await writeFile(made.path, bytes.subarray(0, bytes.length - 100));
  const rescued = await printed(made, salvageResult, 0, 'restore', '--salvage', made.name);
  expect(rescued).toMatchObject({ tables: [{ table: 'public.t' }] });
  const { rescuedDatabases } = await printed(made, listResult, 0, 'list');
  expect(rescuedDatabases?.map(({ name }) => name)).toContain(rescued.database);
});

test('copy, status, doctor and schedule, in good and in bad times', async () => {
  const made = await backedUp();
  expect(await made.run(['backup'])).toExitWith(0);
  const nas = join(made.directory, 'nas');
  await mkdir(nas);
  const env = { OFFSITE_URL: `file://${nas}` };
  const away = { run: (args: readonly string[]) => made.run(args, { env }) };
  expect((await printed(away, copyResult, 0, 'copy')).copied).toHaveLength(2);
  await printed(away, listResult, 0, 'list', '--offsite');
  await printed(away, statusResult, 0, 'status');
  await rm(nas, { recursive: true });
  await rm(join(made.directory, 'pratiko_backup_history.jsonl'));
  expect((await printed(away, copyResult, 3, 'copy')).failed).toHaveLength(1);
  await writeFile(made.path, 'no gzip');
  await printed(away, statusResult, 3, 'status', '--port', '1');
  expect((await printed(away, doctorResult, 3, 'doctor', '--port', '1')).ok).toBe(false);
  await printed(made, scheduleResult, 0, 'schedule');
  await printed(made, scheduleResult, 0, 'schedule', '--systemd', '--monthly-drill');
});

test.for<[number, string, string[]]>([
  [2, 'an unknown option', ['backup', '--no-such-option']],
  [2, 'an unknown command', ['no-such-command']],
  [2, 'options that do not go together', ['restore', '--undo', '--salvage']],
  [2, 'a setting that makes no sense', ['backup', '--port', 'x']],
  [2, 'nobody to ask', ['restore']],
  [2, 'an argument that is missing', ['diff', 'latest']],
  [2, 'a number that is none', ['restore', '--jobs', 'many']],
  [2, 'a file that is there', ['keygen', '--output', '/dev/null']],
  [2, 'SQL is no JSON', ['extract']],
  [2, 'nor is a help', ['help', 'backup']],
  [2, 'nor is a script', ['completion', 'fish']],
  [2, 'an option that keeps others from being read', ['list', '--log-format', 'xml']],
  [2, 'a value of two lines', ['backup', '--label', 'one\ntwo']],
  [2, 'a backup where a table belongs', ['extract', '--table', '20251129_020000']],
  [10, 'no such backup', ['restore', '19990101_000000']],
  [10, 'no such backup', ['verify', '19990101_000000']],
  [10, 'no such backup', ['list', '19990101_000000']],
  [10, 'no such backup', ['diff', '19990101_000000', 'latest']],
  [10, 'no such backup', ['prune', '--keep', '19990101_000000']],
  [10, 'nothing to undo', ['restore', '--undo', '--yes', '--dry-run']],
  [13, 'no server', ['backup', '--port', '1']],
  [14, 'no directory', ['list', '--backup-dir', '/no/such/directory']],
  [14, 'no directory', ['prune', '--backup-dir', '/no/such/directory']],
])('%d: %s', async ([exitCode, , args]) => {
  const made = await backedUp();
  const { error } = await printed(made, errorResult, exitCode, ...args);
  expect(error.code).toBe(exitCode);
  expect(exitCodes).toHaveProperty(error.kind, exitCode);
  expect(error.message).not.toMatch(/^(?:error:|$)/);
  expect(error.hint).not.toBe('');
});

test('without a command there is an error, too, and a person sees the help', async () => {
  const { exitCode, stdout, stderr } = await runTool(['--json'], {});
  expect({ exitCode, ...errorResult.parse(JSON.parse(stdout)).error }).toMatchObject({
    exitCode: 2,
    code: 2,
    kind: 'usage',
    message: 'no command was given',
  });
  expect(stderr).toContain('Usage: pratiko-backup');
  expect(stderr).not.toContain('no command was given');
});

test('every command but those that print a text has a schema', () => {
  const names = createProgram({ cores: 2 } as Terminal, '').commands.map((each) => each.name());
  const texts = ['extract', 'help', 'completion', 'complete'];
  expect(names.filter((name) => !texts.includes(name)).sort()).toEqual(
    Object.keys(resultSchemas).sort(),
  );
});
