import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { storageFailure } from '../backup-directory/storage-failure.ts';
import { Failure } from '../base/errors.ts';
import { exists } from '../base/exists.ts';
import type { Config } from '../config/config.ts';
import type { Context } from '../context.ts';
import { readCrontab, writeCrontab } from './crontab.ts';
import {
  cronLine,
  hasDrill,
  jobsOf,
  logPathOf,
  ownLines,
  withLines,
  type Invocation,
  type ScheduleOptions,
} from './entries.ts';
import { unitsOf, type Unit } from './systemd.ts';

/**
 * The lines that run backups at their time.
 * @throws Failure `usage` for a path that no crontab can hold.
 */
export function plannedLines(invocation: Invocation, options: ScheduleOptions): string[] {
  const { node, script, project, options: words } = invocation;
  const odd = [node, script, project, ...words].find((word) => /[\r\n]/.test(word));
  if (odd !== undefined) {
    throw new Failure('usage', `a line of a crontab cannot hold the path ${JSON.stringify(odd)}`, {
      hint: 'give the directory another name, or use timers of systemd (--systemd)',
    });
  }
  return jobsOf(options).map((job) => cronLine(invocation, job));
}

/** The units that do the same with systemd. */
export const plannedUnits = (
  invocation: Invocation,
  options: ScheduleOptions,
  user: string,
): Unit[] => jobsOf(options).flatMap((job) => unitsOf(invocation, job, user));

/** Our lines in the crontab. */
export async function installedLines(context: Context, invocation: Invocation): Promise<string[]> {
  return ownLines(await readCrontab(context), invocation);
}

/** Whether our lines in the crontab run drills. */
export async function hasScheduledDrill(
  context: Context,
  invocation: Invocation,
): Promise<boolean> {
  return hasDrill(await installedLines(context, invocation));
}

/**
 * Puts our lines into the crontab, in place of those that are there; every other line stays as it is.
 * @returns whether anything was changed.
 */
export async function install(
  context: Context,
  invocation: Invocation,
  lines: readonly string[],
): Promise<boolean> {
  const before = await readCrontab(context);
  const after = withLines(before, invocation, lines);
  if (lines.length > 0) await makeLogDirectory(invocation);
  if (after === before) return false;
  await writeCrontab(context, after);
  return true;
}

/** New backups are encrypted, and there is no private key here, as far as settings tell: gpg may know one. */
export const lacksPrivateKey = ({ keys }: Pick<Config, 'keys'>): boolean =>
  keys.ageRecipient !== undefined && keys.ageIdentityFile === undefined;

/** What is said of a drill in that case. */
export const lockedDrill =
  'the drill cannot open encrypted backups: there is no private key here (BACKUP_AGE_IDENTITY_FILE)';

const logDirectoryOf = (invocation: Invocation) => dirname(logPathOf(invocation));

/** The directory of the log, where it is not there. */
export async function missingLogDirectory(invocation: Invocation): Promise<string | undefined> {
  const directory = logDirectoryOf(invocation);
  return (await exists(directory)) ? undefined : directory;
}

/** Without it, the shell that cron starts ends before it starts anything. */
async function makeLogDirectory(invocation: Invocation): Promise<void> {
  const directory = logDirectoryOf(invocation);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw storageFailure(`create ${directory}`, error);
  }
}
