import { Failure } from '../base/errors.ts';
import type { Backup } from '../backup-directory/backup.ts';
import { listBackups } from '../backup-directory/catalog.ts';
import { isKept, readKeptMarks, type KeptMarks } from '../backup-directory/kept.ts';
import { locateBackup } from '../backup-directory/locate.ts';
import type { Context } from '../context.ts';

/** What a person says of backups: paths, names or timestamps. */
export interface Wishes {
  /** Those that stay, however old. */
  readonly keep: readonly string[];
  /** Those that no longer do. */
  readonly unkeep: readonly string[];
}

export interface Marked {
  /** All that is known then. */
  readonly marks: KeptMarks;
  /** What is another than before, by name. */
  readonly changed: readonly { readonly name: string; readonly keep: boolean }[];
}

/**
 * What would be known of backups to keep if these wishes were written down.
 * @throws Failure `noSuchBackup`; `usage` for one that lies elsewhere.
 */
export async function markKept(context: Context, { keep, unkeep }: Wishes): Promise<Marked> {
  const { backupDir } = context.config;
  const marks = new Map(await readKeptMarks(backupDir));
  const backups = await listBackups(backupDir);
  const lookUp = (names: readonly string[]) =>
    Promise.all(names.map((name) => find(name, backups, context)));
  const [kept, unkept] = [await lookUp(keep), await lookUp(unkeep)];
  const both = kept.find((backup) => unkept.includes(backup));
  if (both !== undefined) {
    throw new Failure('usage', `${both.name} cannot be kept and not be kept`, {
      hint: 'name it with --keep or with --unkeep',
    });
  }
  const wanted = [
    ...kept.map((backup) => ({ backup, keep: true })),
    ...unkept.map((backup) => ({ backup, keep: false })),
  ];
  const changed = wanted.filter(({ backup, keep: stays }) => isKept(backup, marks) !== stays);
  for (const { backup, keep: stays } of changed) marks.set(backup.stamp, stays);
  return {
    marks,
    changed: changed.map(({ backup: { name }, keep: stays }) => ({ name, keep: stays })),
  };
}

async function find(name: string, backups: readonly Backup[], context: Context): Promise<Backup> {
  const { config, cwd } = context;
  const { file } = await locateBackup(config.backupDir, name, cwd);
  const backup = backups.find(({ path }) => path === file.path);
  if (backup !== undefined) return backup;
  throw new Failure('usage', `${file.path} is not in ${config.backupDir}`, {
    hint: 'retention looks at the backups in the backup directory only; --backup-dir names another',
  });
}
