import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';

export type Log = Logger;

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'pretty' | 'json';
  /** A person is looking: colors and no timestamps. Otherwise one timestamped line per event. */
  readonly terminal: boolean;
  readonly color: boolean;
  /** Takes whole lines, each with its line break. */
  readonly write: (line: string) => void;
}

/** A logger for people (`pretty`) or log shippers (`json`). Events never carry the configuration. */
export function createLog(options: LogOptions): Log {
  const { level, write } = options;
  if (options.format === 'json') {
    return pino(
      { level, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: levelName } },
      { write },
    );
  }
  const prettify = pretty.prettyFactory({
    colorize: options.color,
    hideObject: true,
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss',
    ignore: options.terminal ? 'pid,hostname,time,level' : 'pid,hostname',
    messageFormat: options.terminal ? messageForTerminal : messageForLogFile,
  });
  return pino({ level }, { write: (line) => write(prettify(line)) });
}

const levelName = (label: string) => ({ level: label });

const severe: Readonly<Record<number, string>> = { 40: 'warning', 50: 'error', 60: 'error' };

type Formatter = Extract<pretty.PrettyOptions['messageFormat'], (...args: never) => string>;

const messageForTerminal: Formatter = (event, key, _label, { colors }) => {
  const word = severe[Number(event.level)];
  const paint = word === 'error' ? colors.red : colors.yellow;
  const message = text(event[key]);
  const line = word === undefined ? message : `${paint(`${word}:`)} ${message}`;
  return event.hint === undefined ? line : `${line}\n${colors.cyan('hint:')} ${text(event.hint)}`;
};

const messageForLogFile: Formatter = (event, key) =>
  event.hint === undefined ? text(event[key]) : `${text(event[key])}; hint: ${text(event.hint)}`;

const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
