import type { ChildProcess } from 'node:child_process';
import { kill } from 'node:process';
import { PassThrough, pipeline, promises, type Readable, type Writable } from 'node:stream';
import { execa } from 'execa';
import { Failure, systemErrorCode } from './errors.ts';
import { onAbort } from './on-abort.ts';
import { bytesOf, textOf } from './text.ts';
import { Watchdog } from './watchdog.ts';

export interface CommandLine {
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment of the child; nothing is inherited beside it. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What it starts may go on, and hold its output open: it has ended all the same when it exits itself. */
  readonly mayLeaveOthers?: boolean;
  /** The user to run as, for a server that refuses to run as root. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface ProcessResult {
  /** The exit code; undefined when a signal ended the child. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** The last 64 KiB that the child wrote to stderr, trimmed. */
  readonly stderr: string;
  /** Why it could not be reached or followed to its end, where it ran elsewhere. */
  readonly way?: Failure;
}

/** For people: `exit code 1`, `SIGKILL`. */
export const howItEnded = ({ exitCode, signal }: Pick<ProcessResult, 'exitCode' | 'signal'>) =>
  signal ?? `exit code ${exitCode ?? 'unknown'}`;

export interface Child {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly kill: (signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL') => void;
  /** Settles when the child has ended and its output was read; that it ended badly is no rejection. */
  readonly ending: Promise<ProcessResult>;
}

/** Waits for the word on descriptor 3, then turns into the command; without it, ends. */
const startOnWord = 'read -r _ <&3 && exec "$@" 3<&-';

const watchdog = new Watchdog();

/**
 * Starts a command. It is in a session of its own: a terminal's Ctrl-C reaches only us, and we end
 * our children in order. It cannot outlive us, even if we are killed: a watcher sees that, also
 * where the command itself would not notice because it waits for a lock. Aborting `signal` ends it
 * (SIGTERM, after 5 s SIGKILL).
 */
export function start(command: CommandLine, signal: AbortSignal): Child {
  const child = execa('/bin/sh', ['-c', startOnWord, 'sh', command.file, ...command.args], {
    env: command.env,
    extendEnv: false,
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    ...command.user,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    buffer: false,
    reject: false,
  });
  const { pid } = child;
  if (pid === undefined) throw cannotStart(command);
  if (!watchdog.watch(pid)) {
    child.kill('SIGKILL'); // it waits for the word
    throw cannotStart(command);
  }
  const word = child.stdio[3] as unknown as Writable;
  for (const stream of [word, child.stdin]) {
    stream.on('error', () => undefined); // it has ended: its ending says how
  }
  word.end('start\n');
  const forget = onAbort(signal, () => {
    endGroup(pid, child);
    leaveOutput(child);
  });
  if (command.mayLeaveOthers) leaveOutput(child);
  let hasEnded = false;
  void child.finally(() => {
    hasEnded = true; // its number may soon be another one's
    forget();
    watchdog.release(pid);
  });
  // Node throws away what nobody has begun to read when a child ends: here it waits for its reader.
  const stdout = new PassThrough();
  pipeline(child.stdout, stdout, () => undefined); // how it ended is in its ending
  const stderr = lastOf(child.stderr, 64 * 1024);
  return {
    stdin: child.stdin,
    stdout,
    kill: (name) => {
      if (hasEnded) return;
      killGroup(pid, name);
      if (name === 'SIGKILL') leaveOutput(child);
    },
    ending: child.then(({ exitCode, signal: killedBy }) => ({
      exitCode,
      signal: killedBy,
      stderr: stderr().toString().trim(),
    })),
  };
}

/** Politely at first; a command that does not listen is killed, with what it has started. */
function endGroup(pid: number, ending: Promise<unknown>): void {
  killGroup(pid, 'SIGTERM');
  const late = setTimeout(() => killGroup(pid, 'SIGKILL'), politeMs);
  void ending.finally(() => clearTimeout(late));
}

const politeMs = 5_000;

/** What a command leaves behind may hold its output open: nobody waits for that. */
function leaveOutput(
  child: Pick<ChildProcess, 'stdout' | 'stderr' | 'exitCode' | 'signalCode' | 'once'>,
): void {
  const leave = () => {
    setTimeout(() => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, leaveMs);
  };
  if (child.exitCode !== null || child.signalCode !== null) leave();
  else child.once('exit', leave);
}

const leaveMs = 500;

/** A command may have others do its work, as `docker compose` does: they are in its session. */
function killGroup(pid: number, signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): void {
  try {
    kill(-pid, signal);
  } catch {
    // it has ended
  }
}

function cannotStart({ file }: CommandLine): Failure {
  return new Failure('toolMissing', `${file} cannot be started`, {
    hint: 'the system is short of processes, memory or open files: see `ulimit -a`',
  });
}

/** What a child writes to stdout. It is killed where nobody wants the rest. */
export async function* outputOf({ stdout, kill }: Child): AsyncGenerator<Buffer> {
  let isDone = false;
  try {
    yield* stdout as AsyncIterable<Buffer>;
    isDone = true;
  } finally {
    if (!isDone) kill('SIGKILL');
  }
}

/**
 * Writes chunks to a child, and leaves its input open. Where it has ended before, its ending says why.
 * Where the chunks end with an error, it is killed: it would take the end of its input for the end of the data.
 * @throws what the chunks throw.
 */
export async function feed(child: Child, chunks: AsyncIterable<Buffer>): Promise<void> {
  const source = { hasFailed: false };
  try {
    await promises.pipeline(killOnError(child, chunks, source), child.stdin, { end: false });
  } catch (error) {
    if (!source.hasFailed && endedEarly.includes(systemErrorCode(error) ?? '')) return;
    child.kill('SIGKILL');
    throw error;
  }
}

const endedEarly = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'];

async function* killOnError(
  child: Child,
  chunks: AsyncIterable<Buffer>,
  source: { hasFailed: boolean },
): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } catch (error) {
    source.hasFailed = true;
    child.kill('SIGKILL');
    throw error;
  }
}

/** Runs a command to its end with `input` on stdin and collects stdout; both as `textOf` has it. */
export async function run(
  command: CommandLine,
  signal: AbortSignal,
  input = '',
): Promise<ProcessResult & { readonly stdout: string }> {
  return collect(start(command, signal), input);
}

/** The same with a child that runs already. */
export async function collect(
  child: Child,
  input = '',
): Promise<ProcessResult & { readonly stdout: string }> {
  child.stdin.end(bytesOf(input));
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
  return { ...(await child.ending), stdout: textOf(Buffer.concat(chunks)) };
}

/** Keeps the end of what a stream gives: nobody reads more, and it can be much. */
export function lastOf(stream: Readable, bytes: number): () => Buffer {
  let kept = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]).subarray(-bytes);
  });
  stream.on('error', () => undefined); // something else holds it open, and it was left
  return () => kept;
}
