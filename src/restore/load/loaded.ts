import type { OnStep } from '../../base/step.ts';
import type { Choice } from '../../dump/selection/choose.ts';
import type { TableRows } from '../../base/table-rows.ts';
import type { Keys } from '../../encryption/keys.ts';
import type { Refusals } from './refusals.ts';

/** What a load has done. */
export interface Loaded {
  readonly tables: readonly TableRows[];
  /** Rows that came as INSERT statements, of which the file does not say how many there must be. */
  readonly inserted: number;
  /** Tables whose statistics have been collected already. */
  readonly analyzed: ReadonlySet<string>;
  /** What is not in the new database; undefined where nothing may be missing. */
  readonly refusals: Refusals | undefined;
}

export interface LoadOptions {
  /** How many sessions load; 1: one psql reads the dump as it is. */
  readonly jobs: number;
  /** Go on without the statements that the server refuses; in order, whatever `jobs` is. */
  readonly skipRefused: boolean;
  /** A file without manifest need not prove that it is whole. */
  readonly unproven: boolean;
  /** What some tables need, where only that is loaded. */
  readonly chosen: Choice | undefined;
  /** They open the file where it is encrypted. */
  readonly keys: Keys;
  /** What to do where the file is not good, for people. */
  readonly another: string;
  readonly onStep: OnStep;
  /** What is going on, for people. */
  readonly what: string;
}

/** Large enough that a session is busy with it, small enough that none waits long for another. */
export const pieceBytes = 2 * 1024 * 1024;
