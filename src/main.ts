import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism, hostname, tmpdir, userInfo } from 'node:os';
import { dirname, resolve, sep } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { CommanderError } from 'commander';
import { createProgram } from './program.ts';
import { repeatedOptions } from './cli/options.ts';
import type { GlobalFlags, Terminal } from './cli/terminal.ts';
import type { Config } from './config/config.ts';
import {
  exitCodes,
  Failure,
  Interrupted,
  messageOf,
  systemErrorCode,
  type StopSignal,
} from './base/errors.ts';
import type { Log } from './base/log.ts';

const { argv, env, stdin, stdout, stderr } = process;

const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));
/** A checkout keeps its backups with it, wherever it is called from; an installed package does not. */
const projectRoot = packageRoot.split(sep).includes('node_modules') ? process.cwd() : packageRoot;
const { version } = JSON.parse(readFileSync(`${packageRoot}/package.json`, 'utf8')) as {
  version: string;
};

// A log that cannot be written does not stop a backup; a result that cannot be written is an error,
// unless its reader has gone away (`| head`).
/** What became of stdout. */
const output: { printed: boolean; gone: boolean; error?: Error } = { printed: false, gone: false };
stderr.on('error', () => undefined);
stdout.on('error', (error: Error) => {
  output.gone = true;
  if (systemErrorCode(error) !== 'EPIPE') output.error = error;
});

let finished = false;
const interruption = new AbortController();
/** Closing a terminal, or Ctrl-C under npx, sends the same signal twice: that is not impatience. */
const sameSignalMs = 500;
let interruptedAt = 0;
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] satisfies StopSignal[]) {
  process.on(signal, () => {
    const reason = new Interrupted(signal);
    const first: unknown = interruption.signal.reason;
    if (first === undefined) {
      interruptedAt = performance.now();
      interruption.abort(reason);
    } else if (
      !(first instanceof Interrupted && first.signal === signal) ||
      performance.now() - interruptedAt > sameSignalMs
    ) {
      finished = true;
      stderr.write('ended at once; the next run removes what this one has left\n');
      process.exit(reason.exitCode);
    }
  });
}

const interactive = stderr.isTTY && !env.CI && env.TERM !== 'dumb';
const color = stderr.isTTY && !env.NO_COLOR && env.TERM !== 'dumb';

let log: Log | undefined;
let progressLine: { show: (describe: () => string) => void; clear: () => void } | undefined;

/** The SDK for S3 finds its settings in the environment of the process only; no child but rclone gets any of it. */
function giveToSdk(values: Readonly<Record<string, string>>): void {
  env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  for (const [name, value] of Object.entries(values)) {
    if (name.startsWith('AWS_') && value !== '') env[name] ||= value;
  }
}

const shell: Terminal = {
  async open(flags, settings) {
    const { loadConfig } = await import('./config/config.ts');
    const cwd = process.cwd();
    const environment = { ...env }; // before the SDK is given any of the settings file
    const sources = {
      flags: settings,
      environment,
      envFile: flags.config ?? flags.envFile,
      projectRoot,
      cwd,
    };
    const config = loadConfig(sources);
    giveToSdk(config.settingsFile.values);
    log = await startLog(config.logLevel, config.logFormat);
    for (const what of config.ignored) log.warn({ hint: 'correct it, or remove it' }, what);
    if (interactive && !flags.quiet && config.logFormat === 'pretty') await startProgress();
    return {
      config,
      log,
      signal: interruption.signal,
      environment,
      cwd,
      pid: process.pid,
      hostname: hostname(),
      uid: process.getuid?.() ?? 0,
      temporaryDirectory: tmpdir(),
      version,
      now: () => new Date(),
      repeated: repeatedOptions(flags, settings, config.backupDir, env),
    };
  },

  result(value, text) {
    progressLine?.clear();
    const result = wantsJson() ? JSON.stringify(value) : text;
    if (result === undefined) return;
    output.printed = true;
    stdout.write(`${result}\n`);
  },

  async write(bytes) {
    progressLine?.clear();
    output.printed = true;
    if (!output.gone) await new Promise<void>((resolve) => stdout.write(bytes, () => resolve()));
    return !output.gone;
  },

  invocation({ config, envFile, backupDir }) {
    const file = config ?? envFile;
    return {
      node: process.execPath,
      script: `${packageRoot}/bin/pratiko-backup.js`,
      project: projectRoot,
      isCheckout: projectRoot === packageRoot,
      options: [
        ...(file === undefined ? [] : ['--config', resolve(file)]),
        ...(backupDir === undefined ? [] : ['--backup-dir', resolve(backupDir)]),
      ],
    };
  },

  nodeVersion: process.versions.node,

  userName: () => userInfo().username,

  cores: availableParallelism(),

  progress: (describe) => progressLine?.show(describe),

  async ask(question) {
    if (!stdin.isTTY) return undefined;
    await forgetTyped();
    const lines = createInterface({ input: stdin, output: stderr, terminal: false });
    try {
      const text = await Promise.race([
        lines.question(question, { signal: interruption.signal }),
        once(lines, 'close').then(() => undefined),
      ]);
      if (typeof text === 'string') return { text };
      stderr.write('\n'); // nobody has pressed Enter
      return 'end';
    } catch (error) {
      stderr.write('\n');
      throw error;
    } finally {
      lines.close();
    }
  },
};

/** So long the terminal has to hand over what was typed before. */
const typedMs = 50;

/** Reads away what was typed ahead: whole lines, and what nobody has ended with Enter yet. */
async function forgetTyped(): Promise<void> {
  const typed: Buffer[] = [];
  const forget = (keys: Buffer) => void typed.push(keys);
  stdin.setRawMode(true);
  stdin.on('data', forget);
  await sleep(typedMs);
  stdin.off('data', forget);
  stdin.pause();
  stdin.setRawMode(false);
  // Ctrl-C, which the terminal does not make a signal in this mode.
  if (Buffer.concat(typed).includes(3)) process.kill(process.pid, 'SIGINT');
}

const program = createProgram(shell, version);
process.on('exit', () => {
  if (finished) return;
  // Node ends a program that waits for nothing: that must not look like an answer.
  stderr.write('error: the program ended before its work was done; this is a bug\n');
  process.exitCode = exitCodes.unexpected;
});
try {
  await program.parseAsync(argv);
  if (output.printed) await flush(stdout);
  if (output.error !== undefined) throw unwritable(output.error);
} catch (error) {
  process.exitCode = await report(interruption.signal.aborted ? interruption.signal.reason : error);
}
progressLine?.clear();
finished = true;

/** Tells a person, and with `--json` a program, what went wrong; returns the exit code. */
async function report(error: unknown): Promise<number> {
  if (error instanceof CommanderError) {
    if (error.exitCode !== 0) printError({ message: error.message, exitCode: exitCodes.usage });
    return error.exitCode === 0 ? 0 : exitCodes.usage;
  }
  const known = error instanceof Failure || error instanceof Interrupted;
  const exitCode = known ? error.exitCode : exitCodes.unexpected;
  const hint = error instanceof Failure ? { hint: error.hint } : {};
  log ??= await startLog('info', program.opts<GlobalFlags>().logFormat ?? 'pretty');
  if (known) log.error({ ...hint, exitCode }, error.message);
  else log.error({ exitCode }, `unexpected error: ${inspect(error)}`);
  printError({ message: messageOf(error), ...hint, exitCode });
  return exitCode;
}

function printError(error: object): void {
  if (wantsJson() && !output.printed) stdout.write(`${JSON.stringify({ error })}\n`);
}

/** Waits until everything has been handed to the system, or refused by it. */
async function flush(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}

function unwritable(error: Error): Failure {
  return new Failure('storage', `the result could not be written: ${error.message}`, {
    hint: 'the work itself is done; check where stdout leads to',
    cause: error,
  });
}

function wantsJson(): boolean {
  return program.opts<GlobalFlags>().json ?? false;
}

async function startLog(level: Config['logLevel'], format: Config['logFormat']): Promise<Log> {
  const { createLog } = await import('./base/log.ts');
  const write = (line: string) => {
    progressLine?.clear();
    stderr.write(line);
  };
  return createLog({ level, format, terminal: stderr.isTTY, color, write });
}

async function startProgress(): Promise<void> {
  const { createLogUpdate } = await import('log-update');
  const update = createLogUpdate(stderr, { showCursor: true });
  let shownAt = 0;
  progressLine = {
    show(describe) {
      if (performance.now() - shownAt < 100) return;
      shownAt = performance.now();
      update(describe().slice(0, stderr.columns - 1)); // a line that wraps would stay
    },
    clear: () => update.clear(),
  };
}
