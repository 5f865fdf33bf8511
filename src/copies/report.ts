import { Failure } from '../base/errors.ts';
import { formatPlural } from '../base/format.ts';

export interface Copied {
  readonly backup: string;
  /** Where it is now, as in OFFSITE_URL. */
  readonly to: string;
  readonly bytes: number;
}

/** What became of copying. */
export interface CopyReport {
  /** In the order in which they were copied. */
  readonly copied: readonly Copied[];
  readonly failed: readonly {
    readonly to: string;
    /** Undefined where it failed before one was begun. */
    readonly backup: string | undefined;
    readonly message: string;
    readonly hint: string;
  }[];
}

/** @throws Failure `incomplete` that says what could not be copied, and why. */
export function requireAllCopied(report: CopyReport): void {
  const failure = notAllCopied(report);
  if (failure !== undefined) throw failure;
}

/** What could not be copied, and why; undefined where everything was. */
export function notAllCopied({ copied, failed }: CopyReport): Failure | undefined {
  if (failed.length === 0) return undefined;
  const what = failed.map(({ backup, message }) =>
    backup === undefined ? message : `${backup}: ${message}`,
  );
  const done =
    copied.length === 0
      ? ''
      : ` (${formatPlural(copied.length, 'other copy', 'other copies')} done)`;
  return new Failure(
    'incomplete',
    `not everything could be copied: ${what.join('; and ')}${done}`,
    {
      hint: [...new Set(failed.map(({ hint }) => hint))].join('; '),
    },
  );
}
