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
export const started = (word: string): RegExp => new RegExp(`${word}-(?:start|(\\d+))\\n`);

/** With what `sh` begins its line behind the last byte of a program: without it, the way broke before. */
export const endMark = (word: string): Buffer => Buffer.from(`\x1e${word}-`);

/** The rest of that line: the exit code, and what `cksum` says of the output. */
export const endOfProgram = /^(\d+)(?: (\d+ \d+))?\n/;

/** So long that line can be, in bytes. */
export const maxEndBytes = 128;

/**
 * What a `sh` does that reads this from its stdin. It is one compound command, and nothing is sent behind it before
 * the program says that it runs: a `sh` may read ahead. `exit` keeps it from what the program has left.
 *
 * A program that reads nothing gets its end from the end of stdin: pg_dump then cancels what it has asked of the server.
 * What it writes is summed up there, for to be compared with what arrives: the command, or what it starts, may write, too.
 */
export function remoteScript(call: RemoteCall, word: string): string {
  const { program, args, env, readsInput } = call;
  const values = Object.entries(env).map(([name, value]) => ` ${name}=${quoted(value)}`);
  const setting = `unset ${overruledBy(env).join(' ')}; export${values.join('')}`;
  const greets = readsInput ? ['-c', `\\echo ${word}-start`] : [];
  const command = [program, ...greets, ...args].map(quoted).join(' ');
  const tell = (what: string) => `printf '\\036%s-%s\\n' ${word} "${what}"; exit`;
  if (readsInput) return `{ ${setting}; ${command}; ${tell('$?')}; }\n`;
  // 3: the input; 4: where output goes; 5: what is kept in `sum`; 6: cksum. Nothing but what must keep one open does.
  const others = '3<&- 4>&- 5>&- 6>&-';
  return [
    `command -v ${quoted(program)} >/dev/null || { ${tell('127')}; }`,
    `{ command -v tee && command -v cksum; } >/dev/null || { ${tell('0')}; }`,
    `{ ${setting}; exec 3<&0 4>&1; sum=$( { {`,
    `${command} </dev/null ${others} & program=$!`,
    '{ read -r _ <&3; kill "$program"; } >/dev/null 2>&1 4>&- 5>&- & guard=$!',
    'wait "$program"; echo "$?" >&5; kill "$guard" 2>/dev/null; } |',
    `{ tee /dev/fd/6 >&4; } 6>&1 | cksum ${others}; } 5>&1 ); ${tell('$(echo $sum)')}; }\n`,
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
