import { readFileSync } from 'node:fs';
import { exitCodes } from './base/errors.ts';
import type { GlobalFlags } from './cli/terminal.ts';
import { joinTimes } from './edge/arguments.ts';
import { describeError } from './edge/describe-error.ts';
import { watchSignals } from './edge/interruption.ts';
import { Output } from './edge/output.ts';
import { Screen } from './edge/screen.ts';
import { createTerminal, packageRoot } from './edge/terminal.ts';
import { createProgram } from './program.ts';

const { version } = JSON.parse(readFileSync(`${packageRoot}/package.json`, 'utf8')) as {
  version: string;
};
const output = new Output();
const screen = new Screen();
let finished = false;

const signal = watchSignals((reason) => {
  finished = true;
  screen.clear();
  process.stderr.write('ended at once; the next run removes what this one has left\n');
  process.exit(reason.exitCode);
});
const terminal = createTerminal({
  version,
  output,
  screen,
  signal,
  wantsJson: () => flags().json ?? false,
});
const program = createProgram(terminal, version);
const flags = () => program.opts<GlobalFlags>();

process.on('exit', () => {
  if (finished) return;
  screen.clear();
  // Node ends a program that waits for nothing: that must not look like an answer.
  process.stderr.write('error: the program ended before its work was done; this is a bug\n');
  process.exitCode = exitCodes.unexpected;
});
try {
  await program.parseAsync(joinTimes(process.argv)).catch(unlessHelp);
  await output.finish();
} catch (error) {
  await report(signal.aborted ? signal.reason : error);
}
screen.clear();
finished = true;

/** That a help text was shown is no error. */
function unlessHelp(error: unknown): void {
  if (describeError(error) !== undefined) throw error;
}

/** Tells a person, and with `--json` a program, what went wrong, and sets the exit code. */
async function report(thrown: unknown): Promise<void> {
  const error = describeError(thrown);
  if (error === undefined) return;
  const { code: exitCode, kind, hint } = error.result;
  const log = screen.log ?? (await screen.startLog('info', flags().logFormat ?? 'pretty'));
  if (error.message !== undefined)
    log.error({ ...(hint !== null && { hint }), kind, exitCode }, error.message);
  // An option that is wrong keeps others from being read.
  const wantsJson = flags().json ?? process.argv.includes('--json');
  if (wantsJson && !output.printed) {
    const shown = hint === null ? null : screen.completeCommands(hint);
    output.print(JSON.stringify({ error: { ...error.result, hint: shown } }));
  }
  process.exitCode = exitCode;
}
