import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, sep } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { createProgram } from './cli.ts';
import type { GlobalFlags, Shell } from './commands/shell.ts';
import type { Config } from './config.ts';
import { exitCodes, Failure, Interrupted, messageOf, type StopSignal } from './errors.ts';
import type { Log } from './log.ts';

const { argv, env, stdin, stdout, stderr } = process;

const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));
/** A checkout keeps its backups with it, wherever it is called from; an installed package does not. */
const projectRoot = packageRoot.split(sep).includes('node_modules') ? process.cwd() : packageRoot;
const { version } = JSON.parse(readFileSync(`${packageRoot}/package.json`, 'utf8')) as {
  version: string;
};

// A reader that goes away (`| head`) does not stop a backup.
for (const stream of [stdout, stderr]) stream.on('error', () => undefined);

let finished = false;
const interruption = new AbortController();
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] satisfies StopSignal[]) {
  process.on(signal, () => {
    const reason = new Interrupted(signal);
    if (interruption.signal.aborted) {
      finished = true;
      process.exit(reason.exitCode);
    }
    interruption.abort(reason);
  });
}

const interactive = stderr.isTTY && !env.CI && env.TERM !== 'dumb';
const colour = stderr.isTTY && !env.NO_COLOR && env.TERM !== 'dumb';

let log: Log | undefined;
let printed = false;
let progressLine: { show: (text: string) => void; clear: () => void } | undefined;

const shell: Shell = {
  async open(flags, settings) {
    const { loadConfig } = await import('./config.ts');
    const cwd = process.cwd();
    const sources = { flags: settings, environment: env, envFile: flags.envFile, projectRoot, cwd };
    const config = loadConfig(sources);
    log = await startLog(config.logLevel, config.logFormat);
    if (interactive && !flags.quiet && config.logFormat === 'pretty') await startProgress();
    return {
      config,
      log,
      signal: interruption.signal,
      environment: env,
      cwd,
      pid: process.pid,
      hostname: hostname(),
      version,
      now: () => new Date(),
    };
  },

  result(value, text) {
    progressLine?.clear();
    printed = true;
    if (wantsJson()) stdout.write(`${JSON.stringify(value)}\n`);
    else if (text !== undefined) stdout.write(`${text}\n`);
  },

  progress: (line) => progressLine?.show(line),

  async ask(question) {
    if (!stdin.isTTY) return undefined;
    const lines = createInterface({ input: stdin, output: stderr, terminal: false });
    try {
      return await Promise.race([
        lines.question(question, { signal: interruption.signal }),
        once(lines, 'close').then(() => ''),
      ]);
    } finally {
      lines.close();
    }
  },
};

const program = createProgram(shell, version);
process.on('exit', () => {
  if (finished) return;
  // Node ends a program that waits for nothing: that must not look like an answer.
  stderr.write('error: the program ended before its work was done; this is a bug\n');
  process.exitCode = exitCodes.unexpected;
});
try {
  await program.parseAsync(argv);
  interruption.signal.throwIfAborted();
} catch (error) {
  process.exitCode = await report(interruption.signal.aborted ? interruption.signal.reason : error);
}
progressLine?.clear();
finished = true;

/** Tells a person, and with `--json` a program, what went wrong; returns the exit code. */
async function report(error: unknown): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  const known = error instanceof Failure || error instanceof Interrupted;
  const exitCode = known ? error.exitCode : exitCodes.unexpected;
  const hint = error instanceof Failure ? { hint: error.hint } : {};
  log ??= await startLog('info', program.opts<GlobalFlags>().logFormat ?? 'pretty');
  if (known) log.error({ ...hint, exitCode }, error.message);
  else log.error({ exitCode }, `unexpected error: ${stackOf(error)}`);
  if (wantsJson() && !printed) {
    stdout.write(
      `${JSON.stringify({ error: { message: messageOf(error), ...hint, exitCode } })}\n`,
    );
  }
  return exitCode;
}

const stackOf = (error: unknown) =>
  (error instanceof Error ? error.stack : undefined) ?? String(error);

function wantsJson(): boolean {
  return program.opts<GlobalFlags>().json ?? false;
}

async function startLog(level: Config['logLevel'], format: Config['logFormat']): Promise<Log> {
  const { createLog } = await import('./log.ts');
  const write = (line: string) => {
    progressLine?.clear();
    stderr.write(line);
  };
  return createLog({ level, format, terminal: stderr.isTTY, colour, write });
}

async function startProgress(): Promise<void> {
  const { createLogUpdate } = await import('log-update');
  const update = createLogUpdate(stderr, { showCursor: true });
  let shownAt = 0;
  progressLine = {
    show(text) {
      if (performance.now() - shownAt < 100) return;
      shownAt = performance.now();
      update(text);
    },
    clear: () => update.clear(),
  };
}
