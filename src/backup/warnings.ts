import { printed } from '../base/format.ts';
import { psqlCommand } from '../config/place.ts';
import type { Config } from '../config/config.ts';
import type { Context } from '../context.ts';
import type { DumpContents } from '../dump/contents.ts';
import { listBackups } from '../backup-directory/catalog.ts';
import { describeLoss } from '../backup-directory/loss.ts';
import type { Manifest } from '../backup-directory/manifest.ts';
import { earlierThan, largerAmong } from '../backup-directory/larger-earlier-backup.ts';
import { readMeasures } from '../backup-directory/accepted-loss.ts';
import type { Backup } from '../backup-directory/backup.ts';
import type { Published } from './publish.ts';

/** Why a person should look at a backup, although it is good. */
interface Warning {
  readonly message: string;
  readonly hint: string;
}

/** What pg_dump writes and others do not read is backed up all the same. */
function* warnOfContents({ trapsForPsql, defect }: DumpContents, path: string): Generator<Warning> {
  if (trapsForPsql.length > 0) {
    yield {
      message: `psql cannot read ${trapsForPsql.join(', ')}: it takes a name \`begin\` for the beginning of a body, and waits for its end`,
      hint: '`pratiko-backup restore` can; for a rescue with psql alone, give the parameter or column another name',
    };
  }
  if (defect !== undefined) {
    yield {
      message: `pg_dump wrote a whole dump that this tool does not understand (${defect})`,
      hint: `it is kept; see whether psql restores it into another database: ${printed(path)} | psql -d OTHER`,
    };
  }
}

/** Where no pattern matches anything, they are a typing mistake: the tables are backed up with all their rows. */
function warnOfPatterns({ leftOut }: Manifest, { excludeTableData }: Config): Warning[] {
  if (excludeTableData.length === 0 || leftOut !== undefined) return [];
  return [
    {
      message: `BACKUP_EXCLUDE_TABLE_DATA (${excludeTableData.join(' ')}) matches no table: all rows are in the backup`,
      hint: 'patterns are those of pg_dump: `public.log`, `audit.*`, `public."Log"`; rows of a partitioned table are in its partitions',
    },
  ];
}

/** Settings get lost with a machine: then a new backup lies in plaintext beside those that are encrypted. */
function warnOfPlaintext(manifest: Manifest, backups: readonly Backup[]): Warning[] {
  const [before] = earlierThan(manifest, backups, new Map());
  if (manifest.encryption !== undefined || before?.encryption === undefined) return [];
  return [
    {
      message: 'it is not encrypted, but the one before is',
      hint: 'set BACKUP_AGE_RECIPIENT (the public key stands in the file with the private one) or BACKUP_GPG_RECIPIENT',
    },
  ];
}

/** What a restore would be refused for, unless it has no rows that need those. */
function* warnOfDependents(
  { withoutData: { dependents } }: DumpContents,
  { leftOut, tables }: Manifest,
): Generator<Warning> {
  if (leftOut === undefined) return;
  const empty = new Set(tables.filter(({ rows }) => rows === 0).map(({ table }) => table));
  for (const { name, on } of dependents.filter((each) => !empty.has(each.name))) {
    yield {
      message: `${name} needs what ${on} holds, and that is left out: a restore of this backup may be refused`,
      hint: 'leave out both or none of them (BACKUP_EXCLUDE_TABLE_DATA); `restore --skip-refused` does without the constraint or view',
    };
  }
}

/** A database that was emptied by accident makes a good backup, too. */
async function warnOfLoss(
  manifest: Manifest,
  backups: readonly Backup[],
  { backupDir, retention }: Config,
): Promise<Warning[]> {
  const measures = await readMeasures(backupDir);
  const larger = largerAmong(manifest, backups, measures, retention.suspiciousDrop);
  return larger.map(({ backup, losses }, index) => ({
    message: describeLoss(index === 0 ? 'it' : 'and before that, it', backup.name, losses),
    hint: `if that is not meant so, look: \`pratiko-backup restore ${backup.stamp} --to NEW_DATABASE\`; it stays, however old, until you say that nothing is missing (\`pratiko-backup prune --accept-loss\`)`,
  }));
}

/**
 * Tells why a person should look at a new backup, although it is good.
 * @param path of the backup.
 * @returns what was said, for whoever else is told; undefined where there is nothing.
 */
export async function warn(
  { contents, manifest, warnings: ofPgDump }: Pick<Published, 'contents' | 'manifest' | 'warnings'>,
  path: string,
  { config, log }: Context,
): Promise<string | undefined> {
  const backups = await listBackups(config.backupDir);
  const losses = await warnOfLoss(manifest, backups, config);
  const warnings: Warning[] = [
    ...ofPgDump.map((said) => ({
      message: `pg_dump: ${said}`,
      hint: 'it may not be in this backup, or be hard to restore',
    })),
    ...warnOfContents(contents, path),
    ...warnOfPatterns(manifest, config),
    ...warnOfDependents(contents, manifest),
    ...warnOfPlaintext(manifest, backups),
    ...losses,
  ];
  for (const { message, hint } of warnings) log.warn({ hint }, message);
  if (losses.length === 0 && manifest.tables.length === 0 && manifest.leftOut === undefined) {
    const { name } = manifest.database;
    log.warn(
      {
        hint: `is it the right one (${config.databaseSource})? see \`${psqlCommand(config.connection)} --list\``,
      },
      `database "${name}" has no tables: this backup holds nothing`,
    );
  }
  return warnings.length === 0 ? undefined : warnings.map(({ message }) => message).join('; ');
}
