const NEWLINE = 0x0a;

const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;

/** As PostgreSQL names what has bytes above 0x7f only in places (mbutils.c, encnames.c). */
const unsafeEncodings: Readonly<Record<string, 'SJIS' | 'JOHAB' | 'GB18030' | 'double'>> = {
  ...{ SJIS: 'SJIS', SHIFTJIS: 'SJIS', MSKANJI: 'SJIS', WIN932: 'SJIS', WINDOWS932: 'SJIS' },
  ...{ SHIFTJIS2004: 'SJIS', JOHAB: 'JOHAB', GB18030: 'GB18030' },
  ...{ GBK: 'double', WIN936: 'double', WINDOWS936: 'double' },
  ...{ BIG5: 'double', WIN950: 'double', WINDOWS950: 'double' },
  ...{ UHC: 'double', WIN949: 'double', WINDOWS949: 'double' },
};

/** Stands for a byte that only continues a character, as psql has it. */
const CONTINUATION = 0xff;

function continuationBytes(encoding: string | undefined, byte: number): number {
  if (byte < 0x80) return 0;
  if (encoding === 'SJIS' && byte >= 0xa1 && byte <= 0xdf) return 0;
  return encoding === 'JOHAB' && byte === 0x8f ? 2 : 1;
}

/**
 * Knows which bytes only continue a character, in the encodings of clients where such a byte can be that
 * of a backslash. In any other encoding each byte counts as what it is.
 */
export class Characters {
  readonly #encoding: (typeof unsafeEncodings)[string] | undefined;
  /** Bytes that the current character still has. */
  #continued = 0;
  /** The next byte is the second of its character, if that has more than one. */
  #atSecond = false;

  /** @param encoding as PostgreSQL names it, or people do: `SJIS`, `shift-jis`. */
  constructor(encoding = '') {
    this.#encoding = unsafeEncodings[encoding.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')];
  }

  /** The same encoding, at the beginning of a character. */
  likeThese(): Characters {
    return new Characters(this.#encoding);
  }

  /** True inside a character. */
  get isOpen(): boolean {
    return this.#continued > 0;
  }

  /** What the next byte counts as. */
  mask(byte: number): number {
    return this.#continued > 0 && byte !== NEWLINE ? CONTINUATION : byte;
  }

  /** Takes the next byte, and gives what it counts as. */
  step(byte: number): number {
    const seen = this.mask(byte);
    if (this.#encoding === undefined) return seen;
    if (this.#continued === 0 || byte === NEWLINE) {
      this.#continued = continuationBytes(this.#encoding, byte);
      this.#atSecond = true;
    } else {
      this.#continued -= 1;
      if (this.#atSecond && this.#encoding === 'GB18030' && isDigit(byte)) this.#continued = 2;
      this.#atSecond = false;
    }
    return seen;
  }
}
