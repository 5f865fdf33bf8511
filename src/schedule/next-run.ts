import { Cron } from 'croner';
import { shellWord } from '../base/format.ts';
import type { Context } from '../context.ts';
import { readCrontab } from './crontab.ts';
import type { Job } from './entries.ts';

/** The times of a line of a crontab(5), or its name of them. */
const times = /^\s*(@\w+|(?:\S+\s+){4}\S+)\s+(.*)$/;
/** Starts this program to make a backup, or for a drill, ours or written by hand. */
const starts = {
  backup: /pratiko-backup\S*\s(?:.*\s)?backup(?:\s|$)/,
  drill: /pratiko-backup\S*\s(?:.*\s)?verify\s(?:.*\s)?--restore(?:\s|$)/,
};
/** Where its output goes, and what else follows. */
const behind = /\s(?:\d?>|\||;|#).*$/s;

/** Says which settings a run has. */
const choosesSettings = /\s--(?:config|env-file|backup-dir)\b/;

/**
 * Lines of a crontab that make backups, or run drills: what they run, and when.
 * @param options with which this run finds its settings: lines with others make other backups.
 */
export function linesFor(
  job: Job['name'],
  crontab: string,
  options: readonly string[] = [],
): { readonly when: string; readonly command: string }[] {
  const words = ` ${options.map(shellWord).join(' ')} `.replaceAll('%', String.raw`\%`);
  return crontab.split('\n').flatMap((line) => {
    const [, when, command = ''] = times.exec(line) ?? [];
    if (when === undefined || when.startsWith('#')) return [];
    const work = command.replace(behind, '');
    const isOfThese = options.length === 0 ? !choosesSettings.test(work) : work.includes(words);
    return isOfThese && starts[job].test(work) ? [{ when, command }] : [];
  });
}

/** When a crontab makes the next backup; undefined where it makes none. */
export function nextBackup(
  crontab: string,
  now: Date,
  options: readonly string[] = [],
): Date | undefined {
  const moments = linesFor('backup', crontab, options).flatMap(({ when }) => {
    try {
      return new Cron(when, { mode: '5-part' }).nextRun(now) ?? [];
    } catch {
      return []; // cron does not understand it either, or it runs at a start of the machine
    }
  });
  return moments.sort((a, b) => a.getTime() - b.getTime())[0];
}

/**
 * The same, of the crontab of who runs this.
 * @throws Failure `toolMissing`, `storage` where it cannot be read.
 */
export async function readNextBackup(
  context: Context,
  options: readonly string[],
): Promise<Date | undefined> {
  return nextBackup(await readCrontab(context), context.now(), options);
}
