import { listBackups } from '../backup-directory/catalog.ts';
import type { Context } from '../context.ts';
import { freeBytesOf } from '../restore/disk-space.ts';
import type { Check } from './check.ts';
import { commandChecks } from './command-checks.ts';
import { directoryChecks } from './directory-checks.ts';
import { offsiteChecks } from './offsite-checks.ts';
import { serverChecks } from './server-checks.ts';
import { settingsChecks } from './settings-checks.ts';
import { cronChecks } from './cron-checks.ts';
import { keyChecks } from './key-checks.ts';
import { listenerChecks, nodeCheck } from './surroundings-checks.ts';

export interface DoctorOptions {
  readonly nodeVersion: string;
  /** Send a test message. */
  readonly notify: boolean;
  /** With which this run finds its settings. */
  readonly options: readonly string[];
}

/** Looks at everything on which backups and restores depend; changes nothing, whatever is broken. */
export async function examine(
  context: Context,
  { nodeVersion, notify, options }: DoctorOptions,
): Promise<Check[]> {
  const backups = await listBackups(context.config.backupDir).catch(() => []);
  const last = backups.findLast(
    ({ manifest }) => manifest?.database.name === context.config.connection.database,
  );
  const { checks, facts } = await serverChecks(context, last);
  const isHere = facts !== undefined && (await freeBytesOf(facts.room)) !== undefined;
  return [
    nodeCheck(nodeVersion),
    ...(await settingsChecks(context)),
    ...(await keyChecks(context, backups)),
    ...(await commandChecks(context)),
    ...checks,
    ...(await directoryChecks(
      context,
      last,
      isHere ? (facts.room.dataDirectory ?? undefined) : undefined,
    )),
    ...(await cronChecks(context, options)),
    ...(await offsiteChecks(context)),
    ...(await listenerChecks(context, notify)),
  ];
}
