import { appendFile, cp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { temporaryDirectory } from './support/cli.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

/** One violation of each kind: what is added to which file, and the rule that must refuse it. */
const violations: readonly [file: string, text: string, rule: string][] = [
  ['base/text.ts', "import '../config/config.ts';", 'upward-from-base'],
  ['dump/legacy/messages.ts', "import '../../restore/plan.ts';", 'upward-from-dump'],
  [
    'streams/checksum.ts',
    "export const later = () => import('../archive/writer.ts');",
    'upward-from-dump',
  ],
  ['config/passfile.ts', "export type { Log } from '../context.ts';", 'upward-from-config'],
  [
    'inspect/list.ts',
    "export type { BackupOptions } from '../backup/backup.ts';",
    'strangers-of-inspect',
  ],
  ['postgres/tools.ts', "import '../dump/statement.ts';", 'strangers-of-postgres'],
  ['commands/verify.ts', "import '../archive/reader.ts';", 'commands-know-recipes-only'],
  ['commands/verify.ts', "import './restore/text.ts';", 'commands-are-strangers'],
  ['commands/list.ts', "import { listFiles as eager } from '../inspect/list.ts';", 'help-is-quick'],
  ['commands/list.ts', "import '../cli/table.ts';", 'tables-are-slow'],
  ['dump/copy.ts', "export type { Token } from './lexer.ts';", 'circle'],
  ['postgres/tools.ts', "import 'node:child_process';", 'children'],
  [
    'backup/warnings.ts',
    "export type { Filled } from '../restore/fill.ts';",
    'strangers-of-backup',
  ],
  [
    'restore/fill.ts',
    "export type { BackupOptions } from '../backup/backup.ts';",
    'strangers-of-restore',
  ],
  ['context.ts', "import './elsewhere.ts';", 'nowhere'],
];

test('each kind of violation of the layers is refused', async () => {
  const directory = await temporaryDirectory();
  await cp(join(root, 'src'), join(directory, 'src'), { recursive: true });
  await writeFile(join(directory, 'src/elsewhere.ts'), 'export {};\n');
  for (const name of ['package.json', 'tsconfig.json', 'node_modules']) {
    await symlink(join(root, name), join(directory, name));
  }
  for (const [file, text] of violations)
    await appendFile(join(directory, 'src', file), `${text}\n`);
  const config = join(root, '.ci/dependency-cruiser.config.js');
  const { stdout } = await execa(
    join(root, 'node_modules/.bin/depcruise'),
    ['--config', config, '--output-type', 'json', 'src'],
    { cwd: directory, reject: false },
  );
  const { summary } = JSON.parse(stdout) as {
    summary: { violations: { from: string; rule: { name: string } }[] };
  };
  const found = summary.violations.map(
    ({ from, rule }) => `src/${from.replace(/^.*src\//, '')}: ${rule.name}`,
  );
  for (const [file, , rule] of violations) expect(found).toContain(`src/${file}: ${rule}`);
  expect(found).toContain('src/backup: circle-of-folders');
});

/** Recipes put many parts together: they may import more than others. */
const recipes = [
  'backup/backup',
  'backup/follow-up',
  'restore/restore',
  'copies/copy',
  'copies/fetch',
  'restore/prepare',
  'restore/salvage',
  'restore/undo',
  'restore/drill/prepare',
  'restore/drill/restore-and-compare',
].map((name) => `${name}.ts`);
const imported = /^(?:import|export)\b[^;]*?from '(\.[^']+)';|import\('(\.[^']+)'\)/gm;

test('files are small, and know few others', async () => {
  const names = (await readdir(join(root, 'src'), { recursive: true })).filter((name) =>
    name.endsWith('.ts'),
  );
  const files = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(root, 'src', name), 'utf8');
      const others = new Set([...text.matchAll(imported)].map(([, path, later]) => path ?? later));
      const lines = text.split('\n').filter((line) => line.trim() !== '').length;
      return { name, lines, imports: others.size };
    }),
  );
  expect(files.filter(({ lines }) => lines > 250)).toEqual([]);
  expect(files.filter(({ lines }) => lines >= 150).length).toBeLessThanOrEqual(files.length / 10);
  const most = (name: string) => (recipes.includes(name) ? 16 : 12);
  const others = files.filter(({ name }) => name !== 'program.ts'); // the tree of all commands
  expect(others.filter(({ name, imports }) => imports > most(name))).toEqual([]);
});
