import { formatDuration } from '../base/format.ts';
import { Failure } from '../base/errors.ts';
import { howItEnded, lastOf, start } from '../base/subprocess.ts';
import { commandLabel } from '../config/command-label.ts';
import type { Context } from '../context.ts';
import { environmentForCommands } from '../postgres/connection.ts';
import { isCommand } from '../postgres/prefix.ts';
import type { Published } from './publish.ts';
import { withinTimeout } from './within-timeout.ts';

/** So much of what a command says is told, in characters. */
const maxSaid = 500;

/**
 * Runs BEFORE_BACKUP, if there is one.
 * @throws Failure `dumpFailed` where it fails: there is no backup then.
 */
export async function runBefore(context: Context): Promise<void> {
  const { beforeBackup } = context.config;
  if (beforeBackup === undefined) return;
  const problem = await runHook('BEFORE_BACKUP', beforeBackup, {}, context);
  if (problem === undefined) return;
  throw new Failure('dumpFailed', problem, {
    hint: 'no backup was made: correct the command, or unset BEFORE_BACKUP to back up without it',
  });
}

/**
 * Runs AFTER_BACKUP, if there is one, and tells it which backup was made.
 * @throws Failure `incomplete` where it fails.
 */
export async function runAfter(context: Context, published: Published): Promise<void> {
  const { afterBackup, backupDir } = context.config;
  if (afterBackup === undefined) return;
  const { name, manifest } = published;
  const made = {
    PRATIKO_BACKUP: `${backupDir}/${name}`,
    PRATIKO_BACKUP_NAME: name,
    PRATIKO_BACKUP_SHA256: manifest.sha256,
  };
  const problem = await withinTimeout(context, 'AFTER_BACKUP', (limited) =>
    runHook('AFTER_BACKUP', afterBackup, made, limited),
  );
  if (problem !== undefined) {
    throw new Failure('incomplete', problem, { hint: 'run it by hand, and see what it says' });
  }
}

/** So much of what it says is kept, in bytes. */
const maxKept = 16 * 1024;

/** @returns why it failed, for people; undefined where it did not. */
async function runHook(
  variable: string,
  words: readonly [string, ...string[]],
  more: Readonly<Record<string, string>>,
  { config, environment, log, signal }: Context,
): Promise<string | undefined> {
  const [file, ...args] = words;
  const { connection, backupDir } = config;
  const env = {
    ...environmentForCommands(environment),
    PRATIKO_DATABASE: connection.database,
    PRATIKO_BACKUP_DIR: backupDir,
    ...more,
  };
  const cwd = config.projectRoot;
  if (!(await isCommand(file, { environment: env, cwd }))) {
    return `${variable}: no such command: ${file}`;
  }
  const started = performance.now();
  const command = { file, args, env, cwd, mayLeaveOthers: true };
  const child = start(command, signal);
  child.stdin.end();
  const stdout = lastOf(child.stdout, maxKept);
  const { stderr, ...ending } = await child.ending;
  signal.throwIfAborted();
  const said = [stdout().toString(), stderr]
    .map((text) => text.trim())
    .filter(Boolean)
    .join('\n');
  if (said !== '') log.debug(`${variable} said: ${said}`);
  if (ending.exitCode === 0) {
    log.info(
      `${variable} ran: ${commandLabel(words)}, ${formatDuration(performance.now() - started)}`,
    );
    return undefined;
  }
  const why = said === '' ? '' : `: ${said.slice(-maxSaid)}`;
  return `${variable} failed (${howItEnded(ending)})${why}`;
}
