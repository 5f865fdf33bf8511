import type { TableRows } from '../base/table-rows.ts';

/** What retention knows of a backup. */
export interface Candidate {
  readonly name: string;
  /** When it was made; of two of one moment the name decides. */
  readonly madeAt: Date;
  /** The database that it is of; undefined where no manifest tells. */
  readonly database: string | undefined;
  /** The calendar day in its name, as a number that grows by 1 a day. */
  readonly day: number;
  /** Its bytes were read and are what its manifest says. */
  readonly knownGood: boolean;
  /** It is known not to be: its bytes are others, or it did not come back as it was when it was restored. */
  readonly isBad: boolean;
  /** A person wants it to stay, however old. */
  readonly isKept?: boolean;
  /** `latest` points to it. */
  readonly isLatest: boolean;
  /** Some place for copies does not have it yet. */
  readonly isUncopied?: boolean;
  /** Its name lies in the future. */
  readonly isFuture: boolean;
  /** What it holds; undefined where no manifest tells, or a person has said that it no longer matters. */
  readonly tables?: readonly TableRows[] | undefined;
  /** The size of its SQL; undefined where `tables` is. */
  readonly dumpBytes?: number | undefined;
  /** Tables whose rows were left out on purpose. */
  readonly leftOut?: { readonly tables: readonly string[] } | undefined;
}
