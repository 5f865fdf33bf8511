import { Failure, systemErrorCode } from '../base/errors.ts';

/**
 * Results, on stdout. One that cannot be written is an error, unless its reader has gone away
 * (`| head`).
 */
export class Output {
  /** Something was written, or is going to be. */
  get printed(): boolean {
    return this.#printed;
  }

  #printed = false;
  /** What was written is all that there was to do. */
  #isTheWork = false;
  #gone = false;
  #error: Error | undefined;

  constructor() {
    process.stdout.on('error', (error: Error) => {
      this.#gone = true;
      if (systemErrorCode(error) !== 'EPIPE') this.#error = error;
    });
  }

  /**
   * Writes, and waits until it is taken.
   * @returns false where the reader has gone away.
   */
  async write(bytes: string | Uint8Array): Promise<boolean> {
    this.#printed = true;
    this.#isTheWork = true;
    if (!this.#gone) {
      await new Promise<void>((resolve) => process.stdout.write(bytes, () => resolve()));
    }
    return !this.#gone;
  }

  print(line: string): void {
    this.#printed = true;
    process.stdout.write(`${line}\n`);
  }

  /**
   * Waits until everything has been handed to the system, or refused by it.
   * @throws Failure `storage`.
   */
  async finish(): Promise<void> {
    if (!this.#printed) return;
    await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
    if (this.#error === undefined) return;
    throw new Failure('storage', `the result could not be written: ${this.#error.message}`, {
      hint: `${this.#isTheWork ? '' : 'the work itself is done; '}check where stdout leads to`,
      cause: this.#error,
    });
  }
}
