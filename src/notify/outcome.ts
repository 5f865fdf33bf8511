import { Failure, messageOf } from '../base/errors.ts';

/** What there is to tell of a backup. */
export type BackupOutcome =
  | {
      readonly outcome: 'success';
      /** The database with its server: `aifinance on localhost:5433`. */
      readonly database: string;
      readonly file: string;
      readonly bytes: number;
      readonly tables: number;
      readonly rows: number;
      readonly durationMs: number;
      /** How many old backups retention removed. */
      readonly removed: number;
      /** Why a person should look at it all the same. */
      readonly warning: string | undefined;
    }
  | {
      /** `incomplete`: the backup is safe, but a later step failed. */
      readonly outcome: 'failure' | 'incomplete';
      readonly database: string;
      readonly error: string;
      readonly hint: string | undefined;
      /** Why a person should look at the backup itself, where there is one. */
      readonly warning: string | undefined;
    };

/** What there is to tell of a backup that ended with an error. */
export function failureOutcome(database: string, error: unknown, warning?: string): BackupOutcome {
  return {
    outcome: error instanceof Failure && error.kind === 'incomplete' ? 'incomplete' : 'failure',
    database,
    error: messageOf(error),
    hint: error instanceof Failure ? error.hint : undefined,
    warning,
  };
}

/** Whether a person who only wants to hear of failures need not hear of it. */
export const isFine = (outcome: BackupOutcome) =>
  outcome.outcome === 'success' && outcome.warning === undefined;
