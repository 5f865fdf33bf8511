import { readMeasures } from '../backup-directory/accepted-loss.ts';
import type { Backup } from '../backup-directory/backup.ts';
import { largerAmong } from '../backup-directory/larger-earlier-backup.ts';
import { describeLoss, lossesBetween } from '../backup-directory/loss.ts';
import type { Manifest } from '../backup-directory/manifest.ts';
import type { Context } from '../context.ts';
import { orWarn } from './or-warn.ts';

/** What looks wrong of backups beside the one before, and of the newest beside all that are held, by name. */
export async function suspicionsOf(
  { config, log }: Context,
  backups: readonly Backup[],
): Promise<Map<string, string>> {
  const measures = await orWarn(
    readMeasures(config.backupDir),
    new Map(),
    'what was accepted of losses',
    log,
  );
  const suspicions = new Map<string, string>();
  const last = new Map<string, Backup & { manifest: Manifest }>();
  for (const { manifest, ...backup } of backups) {
    if (manifest === undefined) continue;
    const { name } = manifest.database;
    const before = last.get(name);
    const isAccepted =
      before !== undefined && before.madeAt < (measures.get(name) ?? before.madeAt);
    if (before !== undefined && !isAccepted) {
      const losses = lossesBetween(before.manifest, manifest, config.retention.suspiciousDrop);
      if (losses.length > 0) suspicions.set(backup.name, describeLoss('it', before.name, losses));
    }
    if (backup.condition === 'verified') last.set(name, { ...backup, manifest });
  }
  for (const newest of last.values()) {
    const { suspiciousDrop } = config.retention;
    const [loss] = largerAmong(newest.manifest, backups, measures, suspiciousDrop);
    if (loss === undefined || suspicions.has(newest.name)) continue;
    suspicions.set(newest.name, describeLoss('it', loss.backup.name, loss.losses));
  }
  return suspicions;
}
