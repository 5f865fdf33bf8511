import { styleText } from 'node:util';
import { pino, type LogFn, type Logger } from 'pino';
import pretty from 'pino-pretty';
import { visible } from './text.ts';

export type Log = Logger;

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'pretty' | 'json';
  /** A person is looking: colors and no timestamps. Otherwise one timestamped line per event. */
  readonly terminal: boolean;
  readonly color: boolean;
  /** Makes of a message, or a hint, what is shown. */
  readonly show: (text: string) => string;
  /** Takes whole lines, each with its line break. */
  readonly write: (line: string) => void;
}

/** A logger for people (`pretty`) or log shippers (`json`). Events never carry the configuration. */
export function createLog(options: LogOptions): Log {
  const { level, write } = options;
  const hooks = {
    logMethod(this: Logger, args: Parameters<LogFn>, method: LogFn) {
      method.apply(this, args.map((part) => shown(part, options.show)) as Parameters<LogFn>);
    },
  };
  if (options.format === 'json') {
    return pino(
      { level, hooks, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: levelName } },
      { write },
    );
  }
  const prettify = pretty.prettyFactory({
    colorize: false, // would paint whole messages
    hideObject: true,
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss',
    ignore: options.terminal ? 'pid,hostname,time,level' : 'pid,hostname',
    messageFormat: options.terminal ? messageForTerminal(options.color) : messageForLogFile,
  });
  return pino({ level, hooks }, { write: (line) => write(prettify(line)) });
}

function shown(part: unknown, show: LogOptions['show']): unknown {
  if (typeof part === 'string') return show(part);
  const { hint } = part as { readonly hint?: unknown };
  return typeof hint === 'string' ? { ...(part as object), hint: show(hint) } : part;
}

const levelName = (label: string) => ({ level: label });

const severe: Readonly<Record<number, 'warning' | 'error'>> = {
  40: 'warning',
  50: 'error',
  60: 'error',
};

type Formatter = Extract<pretty.PrettyOptions['messageFormat'], (...args: never) => string>;

/** Colors as psql has them: they can be read on light and on dark. */
const styles = {
  error: ['bold', 'red'],
  warning: ['bold', 'magenta'],
  hint: ['bold', 'cyan'],
} as const;

const messageForTerminal =
  (color: boolean): Formatter =>
  (event, key) => {
    const paint = (word: keyof typeof styles) =>
      color ? styleText([...styles[word]], `${word}:`, { validateStream: false }) : `${word}:`;
    const word = severe[Number(event.level)];
    const message = text(event[key]);
    const line = word === undefined ? message : `${paint(word)} ${message}`;
    return event.hint === undefined ? line : `${line}\n${paint('hint')} ${text(event.hint)}`;
  };

const messageForLogFile: Formatter = (event, key) =>
  event.hint === undefined ? text(event[key]) : `${text(event[key])}; hint: ${text(event.hint)}`;

/** A message can have lines, of a stack: those but the first are indented, so that none looks like an event. */
const text = (value: unknown) =>
  (typeof value === 'string' ? value : JSON.stringify(value))
    .split('\n')
    .map(visible)
    .join('\n    ');
