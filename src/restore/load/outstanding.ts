import type { Done } from './session.ts';

/** Work that sessions have been given, together: the first failure ends all of it. */
export class Outstanding {
  #failed: { readonly error: unknown } | undefined;

  /** Notes a failure, unless there was one before. */
  fail(error: unknown): void {
    this.#failed ??= { error };
  }

  /** @throws the first failure, if there was any. */
  throwIfFailed(): void {
    if (this.#failed) throw this.#failed.error;
  }

  /** Adds work to a set that it leaves when it is done. */
  track(set: Set<Promise<void>>, work: Promise<Done>, onDone: (done: Done) => void): void {
    const tracked = work.then(onDone).then(
      () => void set.delete(tracked),
      (error: unknown) => this.fail(error),
    );
    set.add(tracked);
  }

  /** Waits until something of these is done. */
  async any(set: Iterable<Promise<void>>): Promise<void> {
    await Promise.race(set);
    this.throwIfFailed();
  }

  /** Waits until all of these are done. */
  async all(set: Iterable<Promise<void>>): Promise<void> {
    await Promise.all(set);
    this.throwIfFailed();
  }
}
