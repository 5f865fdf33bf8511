import { InvalidArgumentError, Option, type Command } from 'commander';
import { Failure } from '../base/errors.ts';
import { shellWord } from '../base/format.ts';
import { settingsFrom } from '../cli/options.ts';
import type { ScheduleResult } from '../cli/status-results.ts';
import { addCommand, type CommandHelp } from '../cli/help.ts';
import type { GlobalFlags, Terminal } from '../cli/terminal.ts';
import type { Context } from '../context.ts';
import type { Invocation, ScheduleOptions } from '../schedule/entries.ts';

interface Flags extends GlobalFlags {
  readonly time: { readonly hour: number; readonly minute: number };
  readonly monthlyDrill?: boolean;
  readonly install?: true;
  readonly show?: true;
  readonly remove?: true;
  readonly systemd?: true;
}

const help: CommandHelp = {
  does: 'the crontab lines that make backups: print, install, remove',
  examples: [
    'pratiko-backup schedule',
    'pratiko-backup schedule --install --time 03:30 --monthly-drill',
    'pratiko-backup schedule --systemd',
  ],
  exitCodes: {
    done: 'done',
    usage: 'wrong options',
    toolMissing: 'there is no cron',
    storage: 'the crontab cannot be read or written',
  },
};

export function addScheduleCommand(program: Command, shell: Terminal): void {
  addCommand(program, 'schedule', help)
    .option('--install', 'put them into your crontab; nothing else in it is changed')
    .option('--show', 'show those that are there')
    .option('--remove', 'take them out again')
    .addOption(
      new Option('--time <hh:mm>', 'when the backup is made, local time')
        .argParser(timeOfDay)
        .default({ hour: 2, minute: 0 }, '02:00'),
    )
    .option('--monthly-drill', 'prove the latest backup on the 1st of each month, too')
    .option('--no-monthly-drill', 'no longer')
    .option('--systemd', 'print a service and a timer of systemd instead')
    .action(async (_flags: unknown, self: Command) => {
      const flags: Flags = self.optsWithGlobals();
      requireOne(flags);
      const context = await shell.open(flags, settingsFrom(flags));
      const invocation = shell.invocation(flags);
      const monthlyDrill = flags.monthlyDrill ?? (await keepsDrill(context, invocation, flags));
      const options = { ...flags.time, monthlyDrill };
      if (flags.systemd) await printUnits(context, shell, invocation, options);
      else if (flags.show) await show(context, shell, invocation);
      else await change(context, shell, invocation, options, flags);
    });
}

/** A drill that is scheduled stays, until somebody says that it does not. */
async function keepsDrill(
  context: Context,
  invocation: Invocation,
  { install }: Flags,
): Promise<boolean> {
  if (!install) return false;
  const { hasScheduledDrill } = await import('../schedule/schedule.ts');
  return hasScheduledDrill(context, invocation);
}

function requireOne({ install, show, remove, systemd }: Flags): void {
  const given = Object.entries({ install, show, remove, systemd }).filter(([, is]) => is);
  if (given.length <= 1) return;
  const names = given.map(([name]) => `--${name}`).join(', ');
  throw new Failure('usage', `give one of ${names}`, {
    hint: '`pratiko-backup help schedule` shows examples',
  });
}

async function show(context: Context, shell: Terminal, invocation: Invocation): Promise<void> {
  const { installedLines } = await import('../schedule/schedule.ts');
  const lines = await installedLines(context, invocation);
  const result: ScheduleResult = { installed: lines.length > 0, changed: false, lines };
  const none = 'nothing is scheduled; `pratiko-backup schedule --install` does it';
  shell.result(result, lines.length === 0 ? none : lines.join('\n'));
}

async function change(
  context: Context,
  shell: Terminal,
  invocation: Invocation,
  options: ScheduleOptions,
  flags: Flags,
): Promise<void> {
  const { install, plannedLines } = await import('../schedule/schedule.ts');
  const lines = flags.remove ? [] : plannedLines(invocation, options);
  const isDone = flags.install ?? flags.remove ?? false;
  const changed = isDone && (await install(context, invocation, lines));
  const what = flags.remove ? 'taken out of your crontab' : 'put into your crontab';
  if (isDone) {
    context.log.info(changed ? what : 'nothing to do: your crontab is already so');
  } else {
    context.log.info('nothing was changed: --install puts this into your crontab');
    await warnOfLogs(context, invocation);
  }
  if (!flags.remove) {
    warnOfEnvironment(context);
    await warnOfKey(context, options);
  }
  const result: ScheduleResult = { installed: isDone && lines.length > 0, changed, lines };
  shell.result(result, lines.length === 0 ? undefined : lines.join('\n'));
}

/** Where the log cannot be written, nothing is started, and nobody hears of it. */
async function warnOfLogs({ log }: Context, invocation: Invocation): Promise<void> {
  const { missingLogDirectory } = await import('../schedule/schedule.ts');
  const directory = await missingLogDirectory(invocation);
  if (directory === undefined) return;
  log.warn(
    { hint: `create it: mkdir -p -m 700 ${shellWord(directory)}` },
    `there is no ${directory}: without it nothing is started`,
  );
}

/** Cron has nothing of the shell in which somebody has set something. */
function warnOfEnvironment({ config, log }: Context): void {
  if (config.fromEnvironment.length === 0) return;
  log.warn(
    { hint: 'write them into .env, or into a file for --config' },
    `cron will not have what is set in this environment: ${config.fromEnvironment.join(', ')}`,
  );
}

/** A drill that cannot be tried makes `status` unhealthy each month. */
async function warnOfKey(
  { config, log }: Context,
  { monthlyDrill }: ScheduleOptions,
): Promise<void> {
  const { lacksPrivateKey, lockedDrill } = await import('../schedule/schedule.ts');
  if (!monthlyDrill || !lacksPrivateKey(config)) return;
  log.warn(
    {
      hint: 'leave the drill out here (--no-monthly-drill), and run `verify --restore` where the key is, from time to time',
    },
    lockedDrill,
  );
}

async function printUnits(
  context: Context,
  shell: Terminal,
  invocation: Invocation,
  options: ScheduleOptions,
): Promise<void> {
  const { plannedUnits } = await import('../schedule/schedule.ts');
  const units = plannedUnits(invocation, options, shell.userName());
  await warnOfLogs(context, invocation);
  const timers = units.map(({ name }) => name).filter((name) => name.endsWith('.timer'));
  warnOfEnvironment(context);
  await warnOfKey(context, options);
  const result: ScheduleResult = { installed: false, changed: false, lines: [], units };
  shell.result(
    result,
    [
      ...units.map(({ name, text }) => `# /etc/systemd/system/${name}\n${text}`),
      `# then: sudo systemctl daemon-reload && sudo systemctl enable --now ${timers.join(' ')}`,
    ].join('\n'),
  );
}

function timeOfDay(text: string): Flags['time'] {
  const [, hour, minute] = /^(\d{1,2}):(\d\d)$/.exec(text) ?? [];
  const time = { hour: Number(hour), minute: Number(minute) };
  if (hour !== undefined && time.hour < 24 && time.minute < 60) return time;
  throw new InvalidArgumentError('give a time of the day, like 02:00.');
}
