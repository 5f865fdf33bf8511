import { writeGlobals } from '../backup-directory/globals-file.ts';
import { bytesOf } from '../base/text.ts';
import { contactedServer, type Context } from '../context.ts';
import { configuredTool } from '../postgres/tool-search.ts';
import { encryptAll } from '../encryption/keys.ts';
import { dumpGlobals } from '../postgres/pg-dumpall.ts';
import type { Published } from './publish.ts';

/**
 * Stores the roles of the server beside a backup, encrypted as that is.
 * @throws Failure `dumpFailed`, `cannotConnect`, `toolMissing`, `storage`.
 */
export async function storeGlobals(
  context: Context,
  { encrypter, ...backup }: Published,
): Promise<void> {
  const { config, log } = context;
  await using server = await contactedServer(context);
  const { sql, hasPasswords } = await dumpGlobals(
    server,
    await configuredTool(context, 'pg_dumpall'),
  );
  const plain = bytesOf(sql);
  const bytes = encrypter === undefined ? plain : await encryptAll(plain, encrypter);
  const name = await writeGlobals(config.backupDir, backup, bytes);
  log.debug(`roles and memberships are in ${name}`);
  if (hasPasswords) return;
  const { user } = config.connection;
  log.warn(
    { hint: 'back up as a superuser, or give the roles new passwords after a restore' },
    `${name} has no passwords of roles: user "${user}" may not read them`,
  );
}
