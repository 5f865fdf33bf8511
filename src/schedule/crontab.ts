import { Failure } from '../base/errors.ts';
import { run, type CommandLine } from '../base/subprocess.ts';
import type { Context } from '../context.ts';

const command = ({ environment }: Context, args: readonly string[]): CommandLine => ({
  file: 'crontab',
  args,
  env: {
    PATH: environment.PATH ?? '/usr/bin:/bin',
    LC_ALL: 'C',
    ...(environment.HOME !== undefined && { HOME: environment.HOME }),
  },
});

/**
 * The crontab of whoever runs this; empty where there is none.
 * @throws Failure `toolMissing` where there is no cron; `storage` where it cannot be read.
 */
export async function readCrontab(context: Context): Promise<string> {
  const { exitCode, stdout, stderr } = await run(command(context, ['-l']), context.signal);
  if (exitCode === 0) return stdout;
  if (/^no crontab for /m.test(stderr)) return '';
  throw refused('read', exitCode, stderr);
}

/**
 * Replaces the crontab of whoever runs this.
 * @throws Failure `toolMissing`, `storage`; it is as it was then.
 */
export async function writeCrontab(context: Context, text: string): Promise<void> {
  const { exitCode, stderr } = await run(command(context, ['-']), context.signal, text);
  if (exitCode !== 0) throw refused('write', exitCode, stderr);
  if ((await readCrontab(context)) === text) return;
  throw new Failure('storage', 'the crontab is not what was written: somebody else changed it', {
    hint: 'look at it (`crontab -l`), then run this again',
  });
}

const notFound = 127;

function refused(doing: string, exitCode: number | undefined, stderr: string): Failure {
  if (exitCode === notFound) {
    return new Failure('toolMissing', 'there is no crontab on this machine', {
      hint: 'install cron (`sudo apt-get install cron`), or use timers of systemd: `pratiko-backup schedule --systemd`',
    });
  }
  return new Failure(
    'storage',
    `crontab cannot be ${doing === 'read' ? 'read' : 'written'}: ${stderr}`,
    {
      hint: 'may this user have one (/etc/cron.allow, /etc/cron.deny)?',
    },
  );
}
