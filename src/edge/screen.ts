import type { Config } from '../config/config.ts';
import type { Log } from '../base/log.ts';
import type { Step } from '../base/step.ts';

const { env, stderr } = process;

/** Where a terminal does not say how wide it is. */
const usualColumns = 80;

/** So often the live line changes, at most, while one step goes on. */
const everyMs = 100;

/** What people are told while it works, on stderr: the log, and on a terminal a live line below it. */
export class Screen {
  /** Undefined until it was started. */
  log: Log | undefined;
  /** Commands in hints get what says where this run works, as soon as that is known. */
  completeCommands: (hint: string) => string = (hint) => hint;
  #live: { show: (step: Step) => void; clear: () => void } | undefined;
  #shownAt = 0;
  #what = '';

  constructor() {
    // A log that cannot be written does not stop a backup.
    stderr.on('error', () => undefined);
  }

  /** What is told from now on goes through it. */
  async startLog(level: Config['logLevel'], format: Config['logFormat']): Promise<Log> {
    const { createLog } = await import('../base/log.ts');
    const color = stderr.isTTY && !env.NO_COLOR && env.TERM !== 'dumb';
    const show = (text: string) => this.completeCommands(text);
    const write = (line: string) => {
      this.clear();
      stderr.write(line);
    };
    this.log = createLog({ level, format, terminal: stderr.isTTY, color, show, write });
    return this.log;
  }

  /** Where a person is looking; elsewhere nothing is live. */
  async startLive(): Promise<void> {
    if (!stderr.isTTY || env.CI || env.TERM === 'dumb') return;
    const { createLogUpdate } = await import('log-update');
    const { fit } = await import('../cli/fit.ts');
    const { liveLine } = await import('../cli/live-line.ts');
    const { visible } = await import('../base/text.ts');
    const update = createLogUpdate(stderr, { showCursor: true });
    const line = liveLine(() => performance.now());
    this.#live = {
      // In the last column, some terminals begin a new line.
      show: (step) => update(fit(visible(line(step)), (stderr.columns || usualColumns) - 1)),
      clear: () => update.clear(),
    };
    // What is above is where it was no more: it is not touched again.
    stderr.on('resize', () => update.done());
    process.on('SIGCONT', () => update.done());
  }

  /** Shows the state of the work in place of what the live line showed before. */
  show(step: Step): void {
    const isSame = step.what === this.#what;
    if (this.#live === undefined || (isSame && performance.now() - this.#shownAt < everyMs)) return;
    this.#shownAt = performance.now();
    this.#what = step.what;
    this.#live.show(step);
  }

  /** Nothing is live any more: something else is shown that is no line of ours. */
  endLive(): void {
    this.clear();
    this.#live = undefined;
  }

  clear(): void {
    this.#live?.clear();
  }
}
