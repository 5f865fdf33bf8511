import { Cron } from 'croner';

/** The times of a line of a crontab(5), or its name of them. */
const times = /^\s*(@\w+|(?:\S+\s+){4}\S+)\s+(.*)$/;
/** Starts this program to make a backup, ours or written by hand. */
const backs = /pratiko-backup\S*\s(?:.*\s)?backup(?:\s|$)/;
/** Where its output goes, and what else follows. */
const behind = /\s(?:\d?>|\||;|#).*$/s;

/** Lines of a crontab that make backups: what they run, and when. */
export function backupLines(
  crontab: string,
): { readonly when: string; readonly command: string }[] {
  return crontab.split('\n').flatMap((line) => {
    const [, when, command] = times.exec(line) ?? [];
    const isBackup =
      when !== undefined &&
      !when.startsWith('#') &&
      backs.test((command ?? '').replace(behind, ''));
    return isBackup ? [{ when, command: command ?? '' }] : [];
  });
}

/** When a crontab makes the next backup; undefined where it makes none. */
export function nextBackup(crontab: string, now: Date): Date | undefined {
  const moments = backupLines(crontab).flatMap(({ when }) => {
    try {
      return new Cron(when, { mode: '5-part' }).nextRun(now) ?? [];
    } catch {
      return []; // cron does not understand it either, or it runs at a start of the machine
    }
  });
  return moments.sort((a, b) => a.getTime() - b.getTime())[0];
}
