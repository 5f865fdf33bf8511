/** Stands in a string for a byte that is no UTF-8 (PEP 383): U+DC80 to U+DCFF, which no valid text has. */
const escapeBase = 0xdc00;

/**
 * Text from bytes that are UTF-8 where they are valid, whatever they are where not: names and comments
 * of a server can be in the encoding of any of its databases. `bytesOf` gives back the same bytes.
 */
export function textOf(bytes: Buffer): string {
  const text = bytes.toString();
  return text.includes('\ufffd') ? carefully(bytes) : text;
}

function carefully(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = [1, 2, 3, 4].find((count) => isCharacter(bytes.subarray(at, at + count)));
    text +=
      length === undefined
        ? String.fromCharCode(escapeBase + (bytes[at] ?? 0))
        : bytes.toString('utf8', at, at + length);
    at += length ?? 1;
  }
  return text;
}

function isCharacter(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString()).equals(bytes);
}

/** The inverse of `textOf`; of any other text, its UTF-8. */
export function bytesOf(text: string): Buffer {
  if (!/[\udc80-\udcff]/u.test(text)) return Buffer.from(text);
  const parts = text.split(/([\udc80-\udcff])/u).map((part) => {
    const code = part.length === 1 ? part.charCodeAt(0) - escapeBase : -1;
    return code >= 0x80 && code <= 0xff ? Buffer.from([code]) : Buffer.from(part);
  });
  return Buffer.concat(parts);
}

/** Whether every database could hold this text: it has no bytes that are of some encoding only. */
export function isPlainText(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

const lineBreak = 0x0a;

export function countLineBreaks(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(lineBreak); at !== -1; at = bytes.indexOf(lineBreak, at + 1)) {
    count += 1;
  }
  return count;
}

/** The line breaks of a text that is left out: messages then tell the line of the file. */
export const lineBreaksOf = (bytes: Buffer): Buffer =>
  Buffer.alloc(countLineBreaks(bytes), lineBreak);

/**
 * Text for a terminal or a log: what would move the cursor, change colors or begin a line is shown instead of done,
 * `\x1b`, `\n`.
 */
export function visible(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => {
    if (character === '\n') return '\\n';
    return `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`;
  });
}
