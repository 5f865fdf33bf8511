import { overruled } from './connection.ts';

/** A program of PostgreSQL at the other end of a command. */
export interface RemoteCall {
  readonly program: string;
  readonly args: readonly string[];
  /** What it is given: nothing of an environment crosses such a border by itself. */
  readonly env: Readonly<Record<string, string>>;
  /** psql, which reads SQL; else the program is ended when nobody listens any more. */
  readonly readsInput: boolean;
}

/** One line for a `sh`, whose answer tells that there is one, and what the way to it does to a text. */
export const greeting = (word: string): string => `printf '%s-%s\\n' pratiko ${word}\n`;

/** That answer. A terminal on the way ends lines with CR LF. */
export const greeted = (word: string): RegExp => new RegExp(`pratiko-${word}(\\r?)\\n`);

/** What psql says when it has its connection, or `sh` when the program has ended: its exit code. */
export const started = (word: string): RegExp => new RegExp(`${word}-(?:start|(\\d{3}))\\n`);

/** What `sh` says behind the last byte of a program: without it, the way broke before. */
export const endMark = (word: string): Buffer => Buffer.from(`\x1e${word}-`);

/** How long that is with the exit code and the line feed behind it, in bytes. */
export const endLength = (word: string): number => endMark(word).length + 4;

/**
 * What a `sh` does that reads this from its stdin. It is one compound command, and nothing is sent behind it before
 * the program says that it runs: a `sh` may read ahead. `exit` keeps it from what the program has left. A program that reads
 * nothing gets its end from the end of stdin: pg_dump then cancels what it has asked of the server.
 */
export function remoteScript(call: RemoteCall, word: string): string {
  const { program, args, env, readsInput } = call;
  const values = Object.entries(env).map(([name, value]) => ` ${name}=${quoted(value)}`);
  const setting = `unset ${overruledBy(env).join(' ')}; export${values.join('')}`;
  const greets = readsInput ? ['-c', `\\echo ${word}-start`] : [];
  const command = [program, ...greets, ...args].map(quoted).join(' ');
  const tell = (code: string) => `printf '\\036%s-%03d\\n' ${word} "${code}"; exit`;
  if (readsInput) return `{ ${setting}; ${command}; ${tell('$?')}; }\n`;
  return [
    `{ ${setting}; exec 3<&0; ${command} </dev/null 3<&- & program=$!`,
    '{ read -r _ <&3; kill "$program"; } >/dev/null 2>&1 & guard=$!',
    `wait "$program"; code=$?; kill "$guard" 2>/dev/null; ${tell('$code')}; }\n`,
  ].join('\n');
}

/** What must not be in force at the other end where it is not given: it would lead to another server, or text. */
const overruledBy = (env: Readonly<Record<string, string>>): string[] =>
  overruled.filter(
    (name) => !(name in env) && !keptThere.has(name) && (name !== 'PGHOSTADDR' || 'PGHOST' in env),
  );

/** What stands for a default there. */
const keptThere = new Set(['PGHOST', 'PGPORT', 'PGPASSFILE']);

/** A word for `sh`, whatever it holds. */
const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
