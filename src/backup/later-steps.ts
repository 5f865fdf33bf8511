import { Failure, messageOf } from '../base/errors.ts';
import type { Done } from '../notify/outcome.ts';

interface Problem {
  readonly message: string;
  readonly hint: string;
}

/** A step after a backup failed: the backup is safe. */
export class IncompleteBackup extends Failure {
  /** The name of the backup. */
  readonly backup: string;
  /** Why a person should look at the backup itself. */
  readonly warning: string | undefined;
  /** What was made. */
  readonly done: Done;

  constructor(
    problems: readonly Problem[],
    backup: string,
    warning: string | undefined,
    done: Done,
  ) {
    const hints = [...new Set(problems.map(({ hint }) => hint))];
    super(
      'incomplete',
      `the backup is safe, but ${problems.map(({ message }) => message).join('; and ')}`,
      { hint: hints.join('; ') },
    );
    this.backup = backup;
    this.warning = warning;
    this.done = done;
  }
}

/** What is done when a backup has its name: one step that fails does not keep the next from being done. */
export class LaterSteps {
  readonly #signal: AbortSignal;
  readonly #problems: Problem[] = [];

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /**
   * Does a step.
   * @param failed what it means that it failed, a clause for people.
   * @returns undefined where it failed.
   */
  async try<Result>(
    failed: string,
    hint: string,
    step: () => Promise<Result>,
  ): Promise<Result | undefined> {
    try {
      return await step();
    } catch (error) {
      this.#signal.throwIfAborted();
      const own = error instanceof Failure && error.hint !== '' ? `${error.hint}; ${hint}` : hint;
      this.#problems.push({ message: `${failed}: ${messageOf(error)}`, hint: own });
      return undefined;
    }
  }

  /** @throws IncompleteBackup where a step failed. */
  requireAll(backup: string, warning: string | undefined, done: Done = { backup }): void {
    if (this.#problems.length === 0) return;
    throw new IncompleteBackup(this.#problems, backup, warning, done);
  }
}
