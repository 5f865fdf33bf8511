import { randomBytes } from 'node:crypto';
import { PassThrough, promises } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../base/errors.ts';
import { PosixChecksum } from '../base/posix-checksum.ts';
import { onAbort } from '../base/on-abort.ts';
import { collect, start, type Child, type ProcessResult } from '../base/subprocess.ts';
import { isCommand, programAt, type Prefix } from './prefix.ts';
import { RemoteOutput } from './remote-output.ts';
import { greeted, greeting, remoteScript, started, type RemoteCall } from './remote-script.ts';
import { endSessionNamed } from './end-session.ts';
import {
  altered,
  brokenOff,
  missing,
  refused,
  throughTerminal,
  unanswered,
} from './way-failure.ts';

/** How long a command may take to end after what ran at its other end. */
const lingerMs = 5_000;

/** How long it may take to end a session on the server. */
const endSessionMs = 15_000;

/** What ended early is like a child that was killed. */
const killed = { exitCode: undefined, signal: 'SIGKILL' } as const;

/**
 * A program at the other end of a command. It is told what to do on its stdin, by a `sh` that is there. To
 * kill the command here would not end the program there: its input would end, and psql commits what it has.
 * So its session is ended on the server first, and `ending` settles when the server has said that it is gone.
 */
export class RemoteProgram implements Child {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly ending: Promise<ProcessResult>;
  readonly #prefix: Prefix;
  readonly #call: RemoteCall;
  /** By which name the server knows its session, where it has one that can be ended. */
  readonly #session: string | undefined;
  readonly #word = randomBytes(16).toString('hex');
  #client: Child | undefined;
  #hasSession = false;
  #stopping: Promise<string | undefined> | undefined;

  /** @param session the `PGAPPNAME` of the program. */
  constructor(prefix: Prefix, call: RemoteCall, signal: AbortSignal, session?: string) {
    this.#prefix = prefix;
    this.#call = call;
    this.#session = session;
    this.stdin.on('error', () => undefined); // it has ended: its ending says how
    const forget = onAbort(signal, this.kill);
    this.ending = this.#run()
      .catch((error: unknown) => {
        if (error instanceof Failure) return withoutProgram(error);
        throw error;
      })
      .finally(() => {
        forget();
        this.stdin.destroy();
        this.stdout.end();
      });
  }

  /** Ends its session on the server, then the command here. */
  readonly kill = (): void => {
    this.#stopping ??= this.#stop();
  };

  #isStopped(): boolean {
    return this.#stopping !== undefined;
  }

  async #run(): Promise<ProcessResult> {
    const { words, environment, cwd } = this.#prefix;
    const [file, ...args] = words;
    if (!(await isCommand(file, this.#prefix))) return withoutProgram(missing(words));
    if (this.#isStopped()) return { ...killed, stderr: '' };
    const command = { file, args: [...args, 'sh'], env: environment, cwd };
    const client = start(command, new AbortController().signal);
    this.#client = client;
    const output = new RemoteOutput(client.stdout, this.#word);
    const failure = await this.#greet(client, output);
    if (this.#isStopped()) return { ...killed, stderr: '' };
    if (failure !== undefined) return withoutProgram(failure);
    client.stdin.write(remoteScript(this.#call, this.#word));
    await this.#converse(client, output);
    return this.#outcome(client, output);
  }

  /** How it ended; its session is gone then, or a person was told that it may not be. */
  async #outcome(client: Child, output: RemoteOutput): Promise<ProcessResult> {
    const isOrderly = output.exitCode !== undefined && !this.#isStopped();
    const session = isOrderly ? undefined : await (this.#stopping ?? this.#endSession());
    client.stdin.end();
    output.leave();
    const { stderr, ...ending } = await endSoon(client);
    if (isOrderly) {
      const { exitCode, isWhole } = output;
      const mayBeAltered = !this.#call.readsInput && exitCode === 0 && isWhole !== true;
      if (mayBeAltered)
        return withoutProgram(altered(this.#prefix.words, this.#call.program, isWhole));
      return { exitCode, signal: undefined, stderr };
    }
    const isAsked = this.#isStopped() && session === undefined;
    const { words } = this.#prefix;
    const way = isAsked
      ? undefined
      : brokenOff(words, this.#call.program, { stderr, ...ending }, session);
    return { ...killed, stderr, ...(way && { way }) };
  }

  /** Waits for a `sh`; nothing that is secret is sent before it answers as it should. */
  async #greet(client: Child, output: RemoteOutput): Promise<Failure | undefined> {
    const { words, answerSeconds: seconds } = this.#prefix;
    client.stdin.write(greeting(this.#word));
    const limit = new AbortController();
    const answer = await Promise.race([
      output.readTo(greeted(this.#word)),
      sleep(seconds * 1000, 'late' as const, { signal: limit.signal }).catch(() => undefined),
    ]);
    limit.abort();
    if (answer === 'late') {
      client.kill('SIGKILL');
      const { stderr } = await client.ending;
      return unanswered(words, seconds, [stderr, output.said].filter(Boolean).join('\n'));
    }
    if (answer === undefined) return refused(words, await endSoon(client), output.said);
    if (answer[1] === '') return undefined;
    client.kill('SIGKILL');
    await client.ending;
    return throughTerminal(words);
  }

  /** What psql is given is sent only when it has its connection: from then on there is a session that can be ended. */
  async #converse(client: Child, output: RemoteOutput): Promise<void> {
    const { readsInput } = this.#call;
    if (readsInput) {
      const answer = await output.readTo(started(this.#word));
      if (answer?.[1] !== undefined) output.exitCode = Number(answer[1]);
      if (answer?.[1] !== undefined || answer === undefined || this.#isStopped()) return;
    }
    this.#hasSession = true;
    if (readsInput) this.stdin.pipe(client.stdin);
    const checksum = readsInput ? undefined : new PosixChecksum();
    await promises.pipeline(output.program(checksum), this.stdout).catch(this.kill);
    this.stdin.destroy();
  }

  /** @returns what `#endSession` does. */
  async #stop(): Promise<string | undefined> {
    this.stdin.unpipe(); // its input stays open until the session is gone
    const session = await this.#endSession();
    this.#client?.kill('SIGKILL');
    return session;
  }

  /**
   * Ends its session on the server, and waits until that is gone.
   * @returns its name, where the server could not be asked; undefined where it is gone.
   */
  async #endSession(): Promise<string | undefined> {
    const session = this.#session;
    if (session === undefined || !this.#hasSession) return undefined;
    const { PGDATABASE = '', ...env } = this.#call.env;
    const limit = AbortSignal.timeout(endSessionMs);
    for (const database of new Set(['postgres', PGDATABASE])) {
      const ask: RemoteCall = {
        program: programAt(this.#prefix, 'psql'),
        args: ['-X', '-w', '-q', '-v', 'ON_ERROR_STOP=1', '-f', '-'],
        env: { ...env, PGDATABASE: database, PGAPPNAME: `${session} end` },
        readsInput: true,
      };
      const asking = new RemoteProgram(this.#prefix, ask, limit);
      if ((await collect(asking, endSessionNamed(session))).exitCode === 0) return undefined;
    }
    this.#prefix.onUnended(session);
    return session;
  }
}

const withoutProgram = (way: Failure): ProcessResult => ({ ...killed, stderr: way.message, way });

/** A command that stays although nothing runs at its other end any more is killed. */
async function endSoon(client: Child): Promise<ProcessResult> {
  const late = setTimeout(() => {
    client.kill('SIGKILL');
  }, lingerMs);
  try {
    return await client.ending;
  } finally {
    clearTimeout(late);
  }
}
