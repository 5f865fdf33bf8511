import { messageOf } from '../base/errors.ts';
import { answeringWithin } from '../postgres/connection.ts';
import { contactMaintenance } from '../postgres/contact.ts';
import {
  previousDatabases,
  rescuedDatabases,
  type PreviousDatabase,
  type RescuedDatabase,
} from '../postgres/previous.ts';
import { configuredServer, type Context } from '../context.ts';

/** How long the server may let a list wait. */
const connectSeconds = 3;

/** What is on the server because of this tool. */
export interface KeptDatabases {
  /** Replaced by restores, oldest first. */
  readonly previous: readonly PreviousDatabase[];
  /** They hold what salvages have rescued. */
  readonly rescued: readonly RescuedDatabase[];
}

/**
 * The databases that restores and salvages have left on the server on purpose.
 * @returns why not, where the server cannot be asked.
 */
export async function listKept(
  context: Context,
): Promise<{ readonly kept: KeptDatabases } | { readonly problem: string }> {
  try {
    const server = answeringWithin(await configuredServer(context), connectSeconds);
    await using contacted = await contactMaintenance(server);
    const previous = await previousDatabases(contacted);
    return { kept: { previous, rescued: await rescuedDatabases(contacted) } };
  } catch (error) {
    context.signal.throwIfAborted();
    return { problem: messageOf(error) };
  }
}
