import { writeGlobals } from '../backup-directory/globals-file.ts';
import type { Stamp } from '../backup-directory/names.ts';
import { contactedServer, toolSearch, type Context } from '../context.ts';
import { dumpGlobals } from '../postgres/pg-dumpall.ts';
import { findTool } from '../postgres/tools.ts';

/**
 * Stores the roles of the server beside a backup.
 * @throws Failure `dumpFailed`, `cannotConnect`, `toolMissing`, `storage`.
 */
export async function storeGlobals(context: Context, stamp: Stamp): Promise<void> {
  const { config, log } = context;
  await using server = await contactedServer(context);
  const { sql, hasPasswords } = await dumpGlobals(
    server,
    await findTool('pg_dumpall', toolSearch(context)),
  );
  const name = await writeGlobals(config.backupDir, stamp, sql);
  log.debug(`roles and memberships are in ${name}`);
  if (hasPasswords) return;
  const { user } = config.connection;
  log.warn(
    { hint: 'back up as a superuser, or give the roles new passwords after a restore' },
    `${name} has no passwords of roles: user "${user}" may not read them`,
  );
}
