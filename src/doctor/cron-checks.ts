import { constants, readdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { exists } from '../base/exists.ts';
import { formatLocalTime, shellWord } from '../base/format.ts';
import type { Context } from '../context.ts';
import { readCrontab } from '../schedule/crontab.ts';
import { linesFor, nextBackup } from '../schedule/next-run.ts';
import { lacksPrivateKey, lockedDrill } from '../schedule/schedule.ts';
import { failed, failedBy, ok, warning, type Check } from './check.ts';

/**
 * Whether anything makes backups by itself.
 * @param options with which this run finds its settings.
 */
export async function cronChecks(context: Context, options: readonly string[]): Promise<Check[]> {
  let crontab: string;
  try {
    crontab = await readCrontab(context);
  } catch (error) {
    context.signal.throwIfAborted();
    const { message, hint = '' } = failedBy('cron', error);
    return [warning('cron', message, hint)];
  }
  const lines = linesFor('backup', crontab, options);
  if (lines.length === 0) {
    return [
      warning(
        'cron',
        'your crontab makes no backups with these settings',
        '`pratiko-backup schedule --install`, unless something else makes them',
      ),
    ];
  }
  for (const { command } of lines) {
    const problem = (await programProblem(command)) ?? (await logProblem(command));
    if (problem !== undefined) return [problem];
  }
  const next = nextBackup(crontab, context.now(), options);
  const when = next === undefined ? 'an unknown time' : formatLocalTime(next);
  const isAtWork = await isCronAtWork();
  return [
    ok('cron', `the next backup is at ${when}`),
    ...(isAtWork === false ? [notAtWork] : []),
    ...otherSettings(context),
    ...(linesFor('drill', crontab, options).length > 0 && lacksPrivateKey(context.config)
      ? [drillWithoutKey]
      : []),
  ];
}

const drillWithoutKey = warning(
  'cron',
  `in your crontab, ${lockedDrill}`,
  '`pratiko-backup schedule --install --no-monthly-drill`, and `verify --restore` where the key is',
);

const notAtWork = warning(
  'cron',
  'no cron seems to run on this machine: nothing starts that line',
  'start it: `sudo systemctl enable --now cron`, or `sudo service cron start`',
);

/** What is set in a shell alone is not what cron's run will have. */
function otherSettings({ config: { fromEnvironment } }: Context): Check[] {
  if (fromEnvironment.length === 0) return [];
  return [
    warning(
      'cron',
      `it will not have what is set in this environment: ${fromEnvironment.join(', ')}`,
      'write that into .env, or into a file for --config',
    ),
  ];
}

const quoted = /'(?:[^']|'\\'')*'|\S+/g;

const wordsOf = (command: string): string[] =>
  (command.match(quoted) ?? []).map((word) =>
    word
      .replace(/^'(.*)'$/s, '$1')
      .replaceAll(String.raw`'\''`, "'")
      .replaceAll(String.raw`\%`, '%'),
  );

/** An absolute path with which a command begins, or its first argument, and that cannot be run or read. */
async function programProblem(command: string): Promise<Check | undefined> {
  const words = wordsOf(command);
  const start = words.indexOf('&&') + 1;
  for (const [index, path] of words.slice(start, start + 2).entries()) {
    if (!path.startsWith('/')) continue;
    if (await exists(path, index === 0 ? constants.X_OK : constants.R_OK)) continue;
    return failed(
      'cron',
      `your crontab starts ${path}, which is not there`,
      'after an update of Node: `pratiko-backup schedule --install`',
    );
  }
  return undefined;
}

/** Where the log cannot be written, the shell does not even start the program. */
async function logProblem(command: string): Promise<Check | undefined> {
  const words = wordsOf(command);
  const log = words.includes('>>') ? (words[words.indexOf('>>') + 1] ?? '') : '';
  if (!log.startsWith('/')) return undefined;
  const isThere = await exists(log);
  if (await exists(isThere ? log : dirname(log), constants.W_OK)) return undefined;
  return failed(
    'cron',
    `your crontab writes to ${log}, which cannot be written: cron starts nothing then`,
    `create its directory (mkdir -p ${shellWord(dirname(log))}), or: \`pratiko-backup schedule --install\``,
  );
}

const daemons = ['cron', 'crond', 'fcron', 'bcron-start'];

/** Whether a cron runs here; undefined where nothing tells. */
async function isCronAtWork(): Promise<boolean | undefined> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  if (pids.length === 0) return undefined;
  const names = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')),
  );
  return names.some((name) => daemons.includes(name.trim()));
}
