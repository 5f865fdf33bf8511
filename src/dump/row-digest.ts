import { createHash, hash, type Hash } from 'node:crypto';

const tab = 0x09;
const lineBreak = 0x0a;
const carriageReturn = 0x0d;

/** The sum of many digests: it depends on each of them, and how often it came, not on their order. */
export class DigestSum {
  readonly #lanes = new Uint32Array(8);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @param digest 32 bytes. */
  add(digest: Buffer): void {
    for (let lane = 0; lane < 8; lane += 1) {
      this.#lanes[lane] = (this.#lanes[lane] ?? 0) + digest.readUInt32LE(lane * 4);
    }
    this.#count += 1;
  }

  /** 64 hexadecimal digits. */
  digest(): string {
    return Buffer.from(this.#lanes.buffer).toString('hex');
  }
}

/** Takes the rows of COPY data, cut anywhere, and adds up their digests. */
export class RowDigest {
  readonly #sum: DigestSum;
  /** In which order to take the columns; undefined: as they come. */
  readonly #order: readonly number[] | undefined;
  /** The row that is not complete yet. */
  #hash: Hash | undefined;
  /** A row ends in CRLF where the file went through Windows: this may be the first half. */
  #hasReturn = false;
  /** The same where columns must be put in order. */
  #parts: Buffer[] = [];

  constructor(sum: DigestSum, order?: readonly number[]) {
    this.#sum = sum;
    this.#order = order;
  }

  add(bytes: Buffer): void {
    let from = 0;
    for (let end = bytes.indexOf(lineBreak); end !== -1; end = bytes.indexOf(lineBreak, from)) {
      this.#endRow(bytes.subarray(from, end));
      from = end + 1;
    }
    if (from < bytes.length) this.#keep(bytes.subarray(from));
  }

  #endRow(bytes: Buffer): void {
    if (this.#order !== undefined) {
      const row = withoutReturn(Buffer.concat([...this.#parts, bytes]));
      this.#parts = [];
      this.#sum.add(hash('sha256', reorder(row, this.#order), 'buffer'));
    } else if (this.#hash === undefined) {
      this.#sum.add(hash('sha256', withoutReturn(bytes), 'buffer'));
    } else {
      if (bytes.length > 0) this.#keep(bytes);
      this.#sum.add(this.#hash.digest());
      this.#hash = undefined;
      this.#hasReturn = false;
    }
  }

  #keep(bytes: Buffer): void {
    if (this.#order !== undefined) {
      this.#parts.push(bytes);
      return;
    }
    this.#hash ??= createHash('sha256');
    if (this.#hasReturn) this.#hash.update('\r');
    this.#hasReturn = bytes.at(-1) === carriageReturn;
    this.#hash.update(this.#hasReturn ? bytes.subarray(0, -1) : bytes);
  }
}

const withoutReturn = (row: Buffer) => (row.at(-1) === carriageReturn ? row.subarray(0, -1) : row);

function reorder(row: Buffer, order: readonly number[]): Buffer {
  const fields: Buffer[] = [];
  let from = 0;
  for (let end = row.indexOf(tab); end !== -1; end = row.indexOf(tab, from)) {
    fields.push(row.subarray(from, end));
    from = end + 1;
  }
  fields.push(row.subarray(from));
  const separator = Buffer.of(tab);
  return Buffer.concat(order.flatMap((field) => [separator, fields[field] ?? separator])).subarray(
    1,
  );
}
