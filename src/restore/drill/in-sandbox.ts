import { randomBytes } from 'node:crypto';
import { Failure } from '../../base/errors.ts';
import type { BackupFile } from '../../backup-directory/backup.ts';
import { identifyMaker } from '../../archive/maker.ts';

import { readAccess, type Context } from '../../context.ts';
import { binDirHere, localToolSearch } from '../../postgres/tool-search.ts';
import { contactMaintenance } from '../../postgres/contact.ts';
import { execute, maintenanceOf } from '../../postgres/psql.ts';
import { startSandbox } from '../../postgres/sandbox.ts';
import { removeSandboxLeftovers } from '../../postgres/sandbox-leftovers.ts';
import { majorVersion } from '../../base/major-version.ts';

import { createRoles } from '../create-roles.ts';

import type { DrillPlace } from './place.ts';

/**
 * A throw-away cluster on this machine, of the major version that the backup is of, with the roles that it
 * needs.
 * @throws Failure `toolMissing` where the programs are not installed.
 */
export async function inSandbox(context: Context, file: BackupFile): Promise<DrillPlace> {
  const { config, environment, signal, temporaryDirectory: tempDirectory, uid, pid } = context;
  const made = file.manifest?.serverVersion ?? (await identifyMaker(file, readAccess(context)));
  if (made === undefined) {
    throw new Failure('toolMissing', `${file.name} does not say which PostgreSQL it is of`, {
      hint: 'without --sandbox it is tried on the configured server',
    });
  }
  const major = majorVersion(made);
  const path = [binDirHere(config), environment.PATH].filter(Boolean).join(':');
  const { user } = config.connection;
  const password = randomBytes(16).toString('hex');
  const options = { tempDirectory, path, uid, user, password, major, signal, owner: pid };
  await removeSandboxLeftovers(tempDirectory);
  const sandbox = await startSandbox(options);
  try {
    const server = await contactMaintenance(sandbox.server);
    return {
      server,
      tools: localToolSearch(context),
      name: `a throw-away PostgreSQL ${sandbox.version}`,
      async provide(head, { roles }) {
        const missing = [...new Set([...head.roles, ...head.policyRoles])].filter(
          (role) => !roles.existing.has(role),
        );
        if (missing.length > 0) await execute(server, maintenanceOf(server), createRoles(missing));
        return missing.length > 0;
      },
      async [Symbol.asyncDispose]() {
        await server[Symbol.asyncDispose]();
        await sandbox[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await sandbox[Symbol.asyncDispose]();
    throw error;
  }
}
