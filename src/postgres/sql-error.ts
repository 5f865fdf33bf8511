/** A statement that the server refused. */
export class SqlError extends Error {
  override readonly name = 'SqlError';
  /** SQLSTATE, five characters (PostgreSQL manual, Appendix A). */
  readonly code: string;
  /** The line of the input at which psql was. */
  readonly line: number;
  /** What the server said first, without the line and the rest. */
  readonly reason: string;
  /** All that it said, without the line. */
  readonly told: string;
  /** Its detail, and with their labels its hint and context, as far as there are any. */
  readonly more: readonly string[];

  constructor(code: string, line: number, reason: string, more: readonly string[]) {
    const told = [reason, ...more.map((part) => `(${part})`)].join(' ');
    super(`line ${line}: ${told}`);
    this.told = told;
    this.code = code;
    this.line = line;
    this.reason = reason;
    this.more = more;
  }
}

/**
 * The error in psql's stderr with its detail, or undefined where there is none: the last message, for
 * psql stops there. The severity is in the server's language, and a warning can have the SQLSTATE of
 * an error; classes 00 to 02 never are one.
 */
export function sqlError(stderr: string, linesBefore = 0): SqlError | undefined {
  const match = [...stderr.matchAll(/^psql:<stdin>:(\d+): \S+: +(?!0[0-2])(\w{5}): (.*)$/gm)].at(
    -1,
  );
  if (!match) return undefined;
  const [all, line = '', code = '', message = ''] = match;
  const more = stderr.slice(match.index + all.length).split(/^(?=(?:DETAIL|HINT|CONTEXT): {2})/m);
  const told = more
    .filter((part) => /^(?:DETAIL|HINT|CONTEXT): /.test(part))
    .map((part) =>
      part
        .replace(/^LOCATION: .*$/m, '')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )
    .map((part) =>
      part.replace(/^DETAIL: /, '').replace(/^(?:HINT|CONTEXT)/, (label) => label.toLowerCase()),
    )
    .map((part) => part.slice(0, maxTold));
  return new SqlError(code, Number(line) - linesBefore, message, told);
}

/** The most that is told of each of DETAIL, HINT and CONTEXT, in characters. */
const maxTold = 300;
