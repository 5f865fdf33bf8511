/** Exit codes by the kind of failure; the README lists them, each help text those of its command. */
export const exitCodes = {
  unexpected: 1,
  usage: 2,
  incomplete: 3,
  noSuchBackup: 10,
  locked: 11,
  toolMissing: 12,
  cannotConnect: 13,
  storage: 14,
  dumpFailed: 20,
  verificationFailed: 21,
  restoreFailed: 22,
} as const;

export type FailureKind = keyof typeof exitCodes;

/** An error a person can act on: `message` says what failed, `hint` what to do. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly kind: FailureKind;
  readonly hint: string;

  constructor(kind: FailureKind, message: string, options: { hint: string; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.hint = options.hint;
  }

  get exitCode(): number {
    return exitCodes[this.kind];
  }
}

/**
 * Why some bytes are not what they must be: a fault of the file, to be reported as such. Anything else that
 * is thrown while it is read is a fault of the disk or of ours.
 */
export class Defect extends Error {
  override readonly name = 'Defect';
}

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

export type StopSignal = keyof typeof signalNumbers;

/** The reason of the abort when a signal ends the run. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly signal: StopSignal;

  constructor(signal: StopSignal) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }

  /** 128 + the signal's number, as shells report it. */
  get exitCode(): number {
    return 128 + signalNumbers[this.signal];
  }
}

/** The `code` of a system error (`ENOENT`, `ENOSPC`, …), or undefined for any other value. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
