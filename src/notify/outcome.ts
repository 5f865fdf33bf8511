import { Failure, Interrupted, messageOf, type FailureKind } from '../base/errors.ts';

/** What was to be done. */
export type Job = 'backup' | 'drill' | 'copy' | 'prune';

/** What was done, as far as it applies. */
export interface Done {
  /** The name of the backup. */
  readonly backup?: string;
  readonly bytes?: number;
  readonly tables?: number;
  readonly rows?: number;
  readonly durationMs?: number;
  /** How many old backups and copies retention removed. */
  readonly removed?: number;
  /** How many copies were made. */
  readonly copied?: number;
}

/** What there is to tell of a job. */
export interface Outcome {
  readonly job: Job;
  /** `incomplete`: the backups are safe, but a later step failed. */
  readonly outcome: 'success' | 'incomplete' | 'failure';
  /** The database with its server: `aifinance on localhost:5433`. */
  readonly database: string;
  readonly done: Done;
  /** Why a person should look at it, although it is good. */
  readonly warning?: string | undefined;
  /** Where it is no success. */
  readonly failure?: {
    readonly kind: FailureKind | 'interrupted';
    readonly message: string;
    readonly hint: string | undefined;
  };
}

/** What there is to tell of a job that ended with an error. */
export function failedOutcome(job: Job, database: string, error: unknown): Outcome {
  const known = error instanceof Failure ? error : undefined;
  return {
    job,
    outcome: known?.kind === 'incomplete' ? 'incomplete' : 'failure',
    database,
    done: {},
    failure: {
      kind: known?.kind ?? (error instanceof Interrupted ? 'interrupted' : 'unexpected'),
      message: messageOf(error),
      hint: known?.hint,
    },
  };
}

/** Whether a person who only wants to hear of failures need not hear of it. */
export const isFine = ({ outcome, warning }: Outcome) =>
  outcome === 'success' && warning === undefined;
