import type { Context } from '../context.ts';
import { configuredTool } from '../postgres/tool-search.ts';
import { requireNewEnough } from '../postgres/pg-dump.ts';
import type { Tool } from '../postgres/start-tool.ts';
import { failedBy, ok, type Check } from './check.ts';

/** Whether a program of PostgreSQL is there; the answer is added to the checks. */
export async function toolCheck(
  name: string,
  context: Context,
  checks: Check[],
): Promise<Tool | undefined> {
  try {
    const tool = await configuredTool(context, name);
    checks.push(ok(name, `${tool.path}, version ${tool.version}`));
    return tool;
  } catch (error) {
    context.signal.throwIfAborted();
    checks.push(failedBy(name, error));
    return undefined;
  }
}

/** Whether pg_dump can dump this server. */
export function versionCheck(pgDump: Tool, serverVersion: string): Check {
  try {
    requireNewEnough(pgDump, serverVersion);
    return ok('versions', 'pg_dump is new enough for the server');
  } catch (error) {
    return failedBy('versions', error);
  }
}
