/** What to restore, and how. */
export interface RestoreChoice {
  /** A path, name or timestamp; undefined: the latest backup. */
  readonly file: string | undefined;
  /** The place from which it has come just now, as in OFFSITE_URL. */
  readonly fetchedFrom?: string | undefined;
  /** Only these tables, with what they need; as people call them. Undefined: everything. */
  readonly tables?: readonly string[] | undefined;
  /** Create the roles that the server does not have, as they were stored beside the backup. */
  readonly globals: boolean;
  readonly owners: boolean;
  readonly privileges: boolean;
  /** Drop the previous database after the swap. */
  readonly dropOld: boolean;
  /** A file without manifest need not prove that it is whole. */
  readonly unproven: boolean;
  /** Go on although there may be too little room. */
  readonly force: boolean;
  /** Go on without the statements that the server refuses. */
  readonly skipRefused: boolean;
}
