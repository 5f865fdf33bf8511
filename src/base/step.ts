/** How far a long piece of work has come, for a person who watches. */
export interface Step {
  /** `dumping`, `reading pratiko_backup_20251129_020000.sql.gz` */
  readonly what: string;
  readonly bytes?: number;
  /** How many there will be; undefined where nothing tells. */
  readonly totalBytes?: number | undefined;
  /** The total is that of the last backup. */
  readonly isEstimate?: boolean;
  readonly table?: string | undefined;
  readonly rows?: number;
  /** How many pieces of work are left, where bytes do not tell. */
  readonly left?: number;
}

export type OnStep = (step: Step) => void;

/** What long work is given: when it is to end, and whom to tell how far it has come. */
export interface Watched {
  readonly signal: AbortSignal;
  readonly onStep: OnStep;
}
