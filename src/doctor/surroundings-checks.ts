import { access, constants } from 'node:fs/promises';
import { formatLocalTime } from '../base/format.ts';
import type { Context } from '../context.ts';
import { sendToSlack } from '../notify/slack.ts';
import { readCrontab } from '../schedule/crontab.ts';
import { backupLines, nextBackup } from '../schedule/next-run.ts';
import { failed, failedBy, ok, warning, type Check } from './check.ts';

/** The versions of Node that this program is made for (package.json, engines). */
export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isMadeFor = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
  return isMadeFor
    ? ok('node', version)
    : failed('node', `${version} is too old`, 'install Node.js 20.19 or later, or 22.12 or later');
}

/** @param send a test message is to be sent. */
export async function slackCheck({ config }: Context, send: boolean): Promise<Check> {
  const { slack, proxies, connection } = config;
  if (slack === undefined) {
    return send
      ? failed('slack', 'there is nobody to tell', 'set SLACK_WEBHOOK_URL')
      : ok('slack', 'not set: failures are told by the exit code and the log alone');
  }
  if (!send) return ok('slack', 'set; --notify sends a test message');
  const text = `pratiko-backup: this is a test. What becomes of backups of ${connection.database} on ${connection.host}:${connection.port} is told here.`;
  const problem = await sendToSlack(slack.url, { text }, proxies);
  return problem === undefined
    ? ok('slack', 'a test message was sent')
    : failed('slack', `it was not told: ${problem}`, 'check SLACK_WEBHOOK_URL, and the way to it');
}

/** Whether anything makes backups by itself. */
export async function cronCheck(context: Context): Promise<Check> {
  let crontab: string;
  try {
    crontab = await readCrontab(context);
  } catch (error) {
    context.signal.throwIfAborted();
    const { message, hint = '' } = failedBy('cron', error);
    return warning('cron', message, hint);
  }
  const lines = backupLines(crontab);
  if (lines.length === 0) {
    return warning(
      'cron',
      'your crontab makes no backups',
      '`pratiko-backup schedule --install`, unless something else makes them',
    );
  }
  for (const { command } of lines) {
    const gone = await missingProgram(command);
    if (gone !== undefined) {
      return failed(
        'cron',
        `your crontab starts ${gone}, which is not there`,
        'after an update of Node: `pratiko-backup schedule --install`',
      );
    }
  }
  const next = nextBackup(crontab, context.now());
  return ok(
    'cron',
    `the next backup is at ${next === undefined ? 'an unknown time' : formatLocalTime(next)}`,
  );
}

/** An absolute path with which a command begins, or its first argument, and that cannot be run or read. */
async function missingProgram(command: string): Promise<string | undefined> {
  const words: readonly string[] = command.match(/'(?:[^']|'\\'')*'|\S+/g) ?? [];
  const start = words.indexOf('&&') + 1;
  const paths = words
    .slice(start, start + 2)
    .map((word) =>
      word
        .replace(/^'(.*)'$/s, '$1')
        .replaceAll(`'\\''`, "'")
        .replaceAll('\\%', '%'),
    )
    .filter((word) => word.startsWith('/'));
  for (const [index, path] of paths.entries()) {
    const mode = index === 0 ? constants.X_OK : constants.R_OK;
    if (
      !(await access(path, mode).then(
        () => true,
        () => false,
      ))
    )
      return path;
  }
  return undefined;
}
