import { z } from 'zod';
import { detailsResult, diffResult } from './inside-results.ts';
import {
  restorePlanResult,
  restoreResult,
  salvageResult,
  undoPlanResult,
  undoResult,
} from './restore-results.ts';
import {
  backupResult,
  copyResult,
  drillResult,
  errorResult,
  keygenResult,
  listResult,
  pruneResult,
  verifyResult,
} from './results.ts';
import { doctorResult, scheduleResult, statusResult } from './status-results.ts';

/** What each command prints with `--json` when it has done its work: one of these. */
export const resultSchemas = {
  backup: [backupResult],
  restore: [restoreResult, restorePlanResult, undoResult, undoPlanResult, salvageResult],
  verify: [verifyResult, drillResult],
  prune: [pruneResult],
  list: [listResult, detailsResult],
  diff: [diffResult],
  status: [statusResult],
  doctor: [doctorResult],
  schedule: [scheduleResult],
  copy: [copyResult],
  keygen: [keygenResult],
} as const satisfies Record<string, readonly z.ZodType[]>;

export type Result = z.input<(typeof resultSchemas)[keyof typeof resultSchemas][number]>;

/**
 * A JSON Schema (draft 2020-12) of all that a command prints with `--json`, errors too.
 * @param command its name; one that has no result of its own prints errors alone.
 */
export function jsonSchemaOf(command: string): object {
  const results: Readonly<Record<string, readonly z.ZodType[]>> = resultSchemas;
  return z.toJSONSchema(z.union([...(results[command] ?? []), errorResult]));
}
