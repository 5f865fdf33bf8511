import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { quoteIdentifier, quoteLiteral } from '../base/sql.ts';
import { maintenanceOf, query, type Server } from '../postgres/psql.ts';

const pollMs = 100;

/**
 * Waits until the server has ended the creation of a database that nobody waits for any more: until then it
 * cannot be dropped, and then it is there.
 */
export async function whenCreationHasEnded(server: Server, name: string): Promise<void> {
  const creation = quoteLiteral(`CREATE DATABASE ${quoteIdentifier(name)} `);
  for (;;) {
    const working = await query(
      server,
      maintenanceOf(server),
      z.object({ pid: z.number() }),
      `SELECT pid FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND starts_with(query, ${creation})`,
    );
    if (working.length === 0) return;
    await sleep(pollMs, undefined, { signal: server.signal });
  }
}
