import { serverLabel } from '../../config/place.ts';
import { contactedServer, type Context } from '../../context.ts';
import { toolSearch } from '../../postgres/tool-search.ts';
import { type MaintainedServer } from '../../postgres/contact.ts';

import { type ToolSearch } from '../../postgres/tools.ts';
import type { DumpHeader } from '../../archive/header.ts';

import type { ServerFacts } from '../server-facts.ts';

/** Where a backup is restored to be compared. Disposing leaves nothing behind. */
export interface DrillPlace extends AsyncDisposable {
  readonly server: MaintainedServer;
  /** For people. */
  readonly name: string;
  /** Where the programs for it are. */
  readonly tools: ToolSearch;
  /**
   * Makes what the dump needs and the server does not have.
   * @returns whether there is more now than the facts tell.
   */
  readonly provide: (head: DumpHeader, facts: ServerFacts) => Promise<boolean>;
}

/** The configured server: nothing is provided there that it does not have. */
export async function onServer(context: Context): Promise<DrillPlace> {
  const server = await contactedServer(context);
  const { connection } = context.config;
  const label = serverLabel(connection);
  return {
    server,
    tools: toolSearch(context),
    name: connection.through === undefined ? `the server ${label}` : label,
    provide: () => Promise.resolve(false),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
