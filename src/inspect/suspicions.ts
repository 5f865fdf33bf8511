import { readMeasures } from '../backup-directory/accepted-loss.ts';
import type { Backup } from '../backup-directory/backup.ts';
import { largerAmong } from '../backup-directory/larger-earlier-backup.ts';
import { describeLoss, lossesBetween } from '../backup-directory/loss.ts';
import type { Manifest } from '../backup-directory/manifest.ts';
import type { Context } from '../context.ts';
import { orWarn } from './or-warn.ts';

type Judged = Pick<Backup, 'name' | 'manifest' | 'condition' | 'madeAt'>;
type WithManifest = Judged & { readonly manifest: Manifest };

/**
 * What looks wrong of backups, by name: beside the one before, as long as that has not come back, and of the newest
 * beside all.
 * @param backups oldest first.
 */
export async function suspicionsOf(
  { config, log }: Context,
  backups: readonly Judged[],
): Promise<Map<string, string>> {
  const { suspiciousDrop } = config.retention;
  const measures = await orWarn(
    readMeasures(config.backupDir),
    new Map(),
    'what was accepted of losses',
    log,
  );
  const suspicions = new Map<string, string>();
  const newest = new Map<string, WithManifest>();
  /** Of each database, those that hold what later ones lack, and the one before; newest first. */
  const before = new Map<string, readonly WithManifest[]>();
  for (const backup of backups) {
    if (!hasManifest(backup)) continue;
    const { name } = backup.manifest.database;
    const measure = measures.get(name);
    const compared = (before.get(name) ?? []).flatMap((older) => {
      const isAccepted = measure !== undefined && older.madeAt < measure;
      const losses = lossesBetween(older.manifest, backup.manifest, suspiciousDrop);
      return isAccepted || losses.length === 0 ? [] : [{ older, losses }];
    });
    const [loss] = compared;
    if (loss) suspicions.set(backup.name, describeLoss('it', loss.older.name, loss.losses));
    if (backup.condition !== 'verified') continue;
    before.set(name, [backup, ...compared.map(({ older }) => older)]);
    newest.set(name, backup);
  }
  for (const { name, manifest } of newest.values()) {
    const [loss] = largerAmong(manifest, backups, measures, suspiciousDrop);
    if (loss === undefined || suspicions.has(name)) continue;
    suspicions.set(name, describeLoss('it', loss.backup.name, loss.losses));
  }
  return suspicions;
}

const hasManifest = (backup: Judged): backup is WithManifest => backup.manifest !== undefined;
