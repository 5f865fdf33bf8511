import { messageOf } from '../base/errors.ts';
import type { Context } from '../context.ts';
import type { Refusals } from './load/refusals.ts';
import type { RestorePlan } from './plan.ts';
import { writeRefused } from './refused-file.ts';

/** Asks whether to swap in what lacks these; `path` is where they are written down, if they could be. */
export type ConfirmRefused = (refusals: Refusals, path: string | undefined) => Promise<void>;

/**
 * Writes down what was left out, and asks whether to go on without it.
 * @returns the path of the file, if there is one.
 * @throws what `confirmRefused` throws where the answer is not yes.
 */
export async function agreeOnRefused(
  { log }: Context,
  { file, target }: RestorePlan,
  refusals: Refusals,
  confirmRefused: ConfirmRefused,
): Promise<string | undefined> {
  if (refusals.statements.length + refusals.tables.length === 0) return undefined;
  const path = await writeRefused(file.path, target, refusals).catch((error: unknown) => {
    log.warn(
      { hint: 'they are in the backup as before' },
      `the refused statements could not be written to a file: ${messageOf(error)}`,
    );
    return undefined;
  });
  await confirmRefused(refusals, path);
  return path;
}
