/** Gives the entry with the lowest number first; each step takes time in proportion to the logarithm of their count. */
export class Heap<Entry> {
  readonly #entries: { readonly rank: number; readonly entry: Entry }[] = [];

  add(rank: number, entry: Entry): void {
    this.#entries.push({ rank, entry });
    for (let at = this.#entries.length - 1; at > 0;) {
      const parent = (at - 1) >> 1;
      if (this.#rank(parent) <= this.#rank(at)) return;
      this.#exchange(at, parent);
      at = parent;
    }
  }

  /** Takes the lowest; undefined where it is empty. */
  take(): Entry | undefined {
    this.#exchange(0, this.#entries.length - 1);
    const lowest = this.#entries.pop();
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const child = this.#rank(left + 1) < this.#rank(left) ? left + 1 : left;
      if (this.#rank(at) <= this.#rank(child)) return lowest?.entry;
      this.#exchange(at, child);
      at = child;
    }
  }

  #rank(at: number): number {
    return this.#entries[at]?.rank ?? Infinity;
  }

  #exchange(a: number, b: number): void {
    const [first, second] = [this.#entries[a], this.#entries[b]];
    if (first === undefined || second === undefined) return;
    this.#entries[a] = second;
    this.#entries[b] = first;
  }
}
