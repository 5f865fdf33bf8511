import { availableParallelism, hostname, tmpdir, userInfo } from 'node:os';
import { dirname, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../base/errors.ts';
import { completeCommands } from '../cli/complete-commands.ts';
import { placeOptions } from '../cli/options.ts';
import type { GlobalFlags, Terminal } from '../cli/terminal.ts';
import type { Flags } from '../config/sources.ts';
import type { Context } from '../context.ts';
import type { Invocation } from '../schedule/entries.ts';
import type { Output } from './output.ts';
import { ask } from './question.ts';
import type { Screen } from './screen.ts';

const { env } = process;

/** Where the installed program is; what runs is one level below, in `dist/`. */
export const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));
/** A checkout keeps its backups with it, wherever it is called from; an installed package does not. */
const isCheckout = !packageRoot.split(sep).includes('node_modules');
const projectRootOf = () => (isCheckout ? packageRoot : currentDirectory());

/** @throws Failure `usage` where somebody has removed it. */
function currentDirectory(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new Failure('usage', 'the directory where you are is not there any more', {
      hint: 'go to another one (`cd`), and run it again',
      cause,
    });
  }
}

export interface Surroundings {
  readonly version: string;
  readonly output: Output;
  readonly screen: Screen;
  readonly signal: AbortSignal;
  /** `--json` was given. */
  readonly wantsJson: () => boolean;
}

/** What commands see of this process. */
export function createTerminal(surroundings: Surroundings): Terminal {
  const { output, screen, signal, wantsJson } = surroundings;
  const withCommands = (key: string, value: unknown) =>
    key === 'hint' && typeof value === 'string' ? screen.completeCommands(value) : value;
  return {
    open: (flags, settings) => open(flags, settings, surroundings),
    result(value, text) {
      screen.clear();
      const result = wantsJson() ? JSON.stringify(value, withCommands) : text;
      if (result === undefined) return;
      output.print(wantsJson() ? result : screen.completeCommands(result));
    },
    write(bytes) {
      // A piece can end anywhere in a line.
      if (process.stdout.isTTY) screen.endLive();
      return output.write(bytes);
    },
    invocation,
    nodeVersion: process.versions.node,
    userName: () => userInfo().username,
    cores: availableParallelism(),
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    ask: (question) => ask(question, signal),
  };
}

async function open(
  flags: GlobalFlags,
  settings: Flags,
  { version, screen, signal }: Surroundings,
): Promise<Context> {
  const { loadConfig } = await import('../config/config.ts');
  const cwd = currentDirectory();
  const environment = { ...env }; // before the SDK is given any of the settings file
  const config = loadConfig({
    flags: settings,
    environment,
    envFile: flags.config ?? flags.envFile,
    projectRoot: projectRootOf(),
    cwd,
  });
  giveToSdk(config.settingsFile.values);
  const place = placeOptions(flags, settings, config.backupDir, env);
  screen.completeCommands = (hint) => completeCommands(hint, place);
  const log = await screen.startLog(config.logLevel, config.logFormat);
  for (const what of config.ignored) log.warn({ hint: 'correct it, or remove it' }, what);
  if (!flags.quiet && config.logFormat === 'pretty') await screen.startLive();
  return {
    config,
    log,
    onStep: (step) => screen.show(step),
    signal,
    environment,
    cwd,
    pid: process.pid,
    hostname: hostname(),
    uid: process.getuid?.() ?? 0,
    temporaryDirectory: tmpdir(),
    version,
    now: () => new Date(),
    completeCommands: screen.completeCommands,
  };
}

/** The SDK for S3 finds its settings in the environment of the process only; no child but rclone gets any of it. */
function giveToSdk(values: Readonly<Record<string, string>>): void {
  env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  for (const [name, value] of Object.entries(values)) {
    if (name.startsWith('AWS_') && value !== '') env[name] ||= value;
  }
}

function invocation({ config, envFile, backupDir }: GlobalFlags): Invocation {
  const file = config ?? envFile;
  return {
    node: process.execPath,
    script: `${packageRoot}/bin/pratiko-backup.js`,
    project: projectRootOf(),
    isCheckout,
    options: [
      ...(file === undefined ? [] : ['--config', resolve(file)]),
      ...(backupDir === undefined ? [] : ['--backup-dir', resolve(backupDir)]),
    ],
  };
}
