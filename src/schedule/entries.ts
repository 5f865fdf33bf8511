import { shellWord } from '../base/format.ts';

/** What starts this program from anywhere, and where it keeps its files. All paths are absolute. */
export interface Invocation {
  readonly node: string;
  readonly script: string;
  /** The directory that holds `logs`, and where an installed package must be started. */
  readonly project: string;
  /** It finds its project by itself. */
  readonly isCheckout: boolean;
  /** Options that it must be given to find its settings: `--config`, `/home/user/other.env`. */
  readonly options: readonly string[];
}

export interface ScheduleOptions {
  /** Local time. */
  readonly hour: number;
  readonly minute: number;
  /** A drill on the first of each month. */
  readonly monthlyDrill: boolean;
}

/** A job, and when it runs. */
export interface Job {
  readonly name: 'backup' | 'drill';
  readonly args: readonly string[];
  readonly hour: number;
  readonly minute: number;
  /** Of the month; undefined: each day. */
  readonly day: number | undefined;
}

/** The drill runs so many minutes after the backup. */
const drillDelay = 90;

export function jobsOf({ hour, minute, monthlyDrill }: ScheduleOptions): Job[] {
  const later = (hour * 60 + minute + drillDelay) % (24 * 60);
  // A drill that follows on the next day is still that of the first.
  const day = hour * 60 + minute + drillDelay >= 24 * 60 ? 2 : 1;
  const backup: Job = { name: 'backup', args: ['backup'], hour, minute, day: undefined };
  const drill: Job = {
    name: 'drill',
    args: ['verify', '--restore'],
    hour: Math.floor(later / 60),
    minute: later % 60,
    day,
  };
  return monthlyDrill ? [backup, drill] : [backup];
}

export const logPathOf = ({ project }: Invocation) => `${project}/logs/backup.log`;

/** By what our lines in a crontab are known: the program and the settings that they are of. */
const markOf = ({ script, options }: Invocation) =>
  `# pratiko-backup schedule: ${[script, ...options].join(' ')}`;

/** A line of a crontab(5): `%` is a line break there unless it is escaped. */
export function cronLine(invocation: Invocation, { args, hour, minute, day }: Job): string {
  const { node, script, project, isCheckout, options } = invocation;
  const command = [node, script, ...options, ...args].map(shellWord).join(' ');
  const line = [
    ...(isCheckout ? [] : [`cd ${shellWord(project)} &&`]),
    `${command} >> ${shellWord(logPathOf(invocation))} 2>&1`,
    markOf(invocation),
  ].join(' ');
  return `${minute} ${hour} ${day ?? '*'} * * ${line.replaceAll('%', String.raw`\%`)}`;
}

/** Whether one of our lines runs drills. */
export const hasDrill = (lines: readonly string[]): boolean =>
  lines.some((line) => / verify --restore >> /.test(line));

/** Our lines in a crontab. */
export const ownLines = (crontab: string, invocation: Invocation): string[] =>
  crontab.split('\n').filter((line) => isOwn(line, invocation));

const isOwn = (line: string, invocation: Invocation) =>
  line.endsWith(` ${markOf(invocation).replaceAll('%', String.raw`\%`)}`);

/** A crontab with these lines of ours, where they were or at its end; all others stay as they are. */
export function withLines(
  crontab: string,
  invocation: Invocation,
  lines: readonly string[],
): string {
  const parts = crontab.split(/(?<=\n)/);
  const isOurs = (part: string) => isOwn(part.replace(/\n$/, ''), invocation);
  const text = lines.map((line) => `${line}\n`).join('');
  const first = parts.findIndex(isOurs);
  const kept = parts.filter((part) => !isOurs(part));
  if (first !== -1) return [...kept.slice(0, first), text, ...kept.slice(first)].join('');
  const end = crontab === '' || crontab.endsWith('\n') || text === '' ? '' : '\n';
  return `${crontab}${end}${text}`;
}
