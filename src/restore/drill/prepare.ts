import { Failure } from '../../base/errors.ts';
import type { BackupFile } from '../../backup-directory/backup.ts';
import { useAnother } from '../../backup-directory/newest-good.ts';
import { readAccess, type Context } from '../../context.ts';
import type { RestoreChoice } from '../choice.ts';
import { tidyUp } from '../leftovers.ts';
import { planFor, type Prepared } from '../prepare.ts';
import { readDumpHeader } from '../read-header.ts';
import { drillName } from '../scratch-mark.ts';
import { surveyServer } from '../server-facts.ts';
import type { DrillPlace } from './place.ts';

export type PreparedDrill = Pick<Prepared, 'plan' | 'facts' | 'head' | 'another' | 'chosen'>;

/** A drill restores everything, and leaves nothing out. */
export const wholeBackup = {
  globals: false,
  owners: true,
  privileges: true,
  skipRefused: false,
  unproven: false,
} satisfies Partial<RestoreChoice>;

/**
 * Plans a restore into a database that nobody has, and that becomes nobody's.
 * @throws Failure `restoreFailed` with everything at once that stands in the way; `cannotConnect`, `storage`.
 */
export async function prepareDrill(
  context: Context,
  { server, provide }: DrillPlace,
  file: BackupFile,
): Promise<PreparedDrill> {
  const { config } = context;
  const target = config.connection.database;
  const choice = { ...wholeBackup, file: undefined, dropOld: false, force: false };
  const another = await useAnother(config.backupDir, file, 'verify', target);
  const found = await surveyServer(server, target);
  const isTidied = await tidyUp(context, server, 0, found).catch((error: unknown) => {
    if (!(error instanceof Failure && error.kind === 'locked')) throw error;
    return false;
  });
  const head = await readDumpHeader(file, found, choice, another, readAccess(context));
  const isChanged = (await provide(head, found)) || isTidied;
  const surveyed = isChanged ? await surveyServer(server, target) : found;
  const facts = { ...surveyed, target: undefined, previous: [] };
  const plan = await planFor(context, server, drillName, {
    ...choice,
    file,
    head,
    facts,
    larger: [],
    live: undefined,
    isPart: false,
    stored: undefined,
    createsRoles: false,
  });
  return { plan, facts, head, another, chosen: undefined };
}
