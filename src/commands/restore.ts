import type { Command } from 'commander';
import { totalRows } from '../table-rows.ts';
import { Failure } from '../errors.ts';
import { formatAge, formatBytes, formatDuration, formatPlural } from '../format.ts';
import type { Log } from '../log.ts';
import type { Context } from '../operations/context.ts';
import type { RestorePlan, RestoreReport } from '../operations/restore.ts';
import {
  addConnectionOptions,
  addWaitOption,
  helpEnd,
  settingsFrom,
  type ConnectionFlags,
} from './options.ts';
import type { GlobalFlags, Shell } from './shell.ts';

interface Flags extends GlobalFlags, ConnectionFlags {
  readonly to?: string;
  readonly yes?: true;
  readonly dropOld?: true;
  readonly owner: boolean;
  readonly privileges: boolean;
  readonly wait: number;
}

export function addRestoreCommand(program: Command, shell: Shell): void {
  const command = program
    .command('restore')
    .argument('[file]', 'path, name, timestamp or `latest` (default: the latest backup)')
    .description(
      'load a backup beside the live database, check it, swap it in; the previous database is kept',
    )
    .option('--to <db>', 'restore into this database instead (it need not exist)')
    .option('-y, --yes', 'do not ask')
    .option('--drop-old', 'drop the previous database afterwards')
    .option('--no-owner', 'everything belongs to the user who restores')
    .option('--no-privileges', 'leave out GRANT and REVOKE');
  addWaitOption(addConnectionOptions(command))
    .addHelpText(
      'after',
      helpEnd(
        [
          'pratiko-backup restore',
          'pratiko-backup restore 20251129_140000 --to aifinance_test',
          'pratiko-backup restore backups/pratiko_backup_20251129_140000.sql.gz --yes',
        ],
        [
          '0   restored',
          '2   confirmation is needed, but there is no terminal: use --yes',
          '10  there is no such backup',
          '13  cannot connect',
          '21  the file is not a good backup',
          '22  the restore failed; the live database was not touched',
        ],
      ),
    )
    .action(async (file: string | undefined, _flags: unknown, self: Command) => {
      const flags: Flags = self.optsWithGlobals();
      const context = await shell.open(flags, {
        ...settingsFrom(flags),
        ...(flags.to === undefined ? {} : { database: flags.to }),
      });
      const { restore } = await import('../operations/restore.ts');
      const report = await restore(context, {
        file,
        owners: flags.owner,
        privileges: flags.privileges,
        dropOld: flags.dropOld ?? false,
        waitSeconds: flags.wait,
        confirm: (plan) => confirm(plan, flags, shell, context),
        onProgress: ({ readBytes, totalBytes, table }) =>
          shell.progress(
            `loading ${Math.floor((100 * readBytes) / totalBytes)} %${table === undefined ? '' : `, ${table}`}`,
          ),
      });
      announce(report, context.log);
      shell.result(resultOf(report));
      if (flags.dropOld && report.plan.previous !== undefined && !report.dropped) {
        throw new Failure('incomplete', `restored, but "${report.plan.previous}" is still there`, {
          hint: 'drop it by hand when nothing uses it any more',
        });
      }
    });
}

/** Typing the database's name cannot happen by accident. */
async function confirm(
  plan: RestorePlan,
  flags: Flags,
  shell: Shell,
  { config, log }: Context,
): Promise<void> {
  const { file, target, previous } = plan;
  const manifest = typeof file.manifest === 'object' ? file.manifest : undefined;
  const { host, port } = config.connection;
  log.info(
    `restoring ${describeFile(file)} into database "${target}" (${config.databaseSource}) on ${host}:${port}`,
  );
  if (manifest !== undefined && manifest.database.name !== target) {
    log.warn(`this is a backup of database "${manifest.database.name}", not of "${target}"`);
  }
  log.info(
    previous === undefined
      ? `there is no database "${target}" yet: it will be created`
      : `database "${target}" will be replaced; the present one is kept as "${previous}"${flags.dropOld ? ' until the swap, then dropped (--drop-old)' : ''}`,
  );
  if (flags.yes) return;
  const answer = await shell.ask(
    `Restore over "${target}"? Type the name of the database to go on: `,
  );
  if (answer === undefined) {
    throw new Failure('usage', 'a restore must be confirmed, and there is no terminal to ask at', {
      hint: 'add --yes if you are sure',
    });
  }
  if (answer.trim() === target) return;
  throw new Failure('usage', `not confirmed: the answer was not "${target}"`, {
    hint: 'nothing was changed; run it again and type the name, or use --yes',
  });
}

function describeFile({ name, bytes, manifest }: RestorePlan['file']): string {
  if (typeof manifest !== 'object') return `${name} (${formatBytes(bytes)})`;
  const age = formatAge(Date.now() - Date.parse(manifest.createdAt));
  return `${name} (made ${age} ago, ${formatPlural(totalRows(manifest.tables), 'row')})`;
}

function announce({ plan, tables, skipped, dropped, durationMs }: RestoreReport, log: Log): void {
  if (skipped.roles.length > 0) {
    log.warn(
      { hint: 'create these roles and restore again if you need them' },
      `left out ${formatPlural(skipped.statements, 'statement')} about roles that are not on this server or cannot be assigned: ${skipped.roles.join(', ')}`,
    );
  }
  log.info(
    `restored "${plan.target}" from ${plan.file.name}: ${formatPlural(tables.length, 'table')}, ${formatPlural(totalRows(tables), 'row')}, ${formatDuration(durationMs)}`,
  );
  if (plan.previous === undefined) return;
  log.info(
    dropped
      ? `the previous database was dropped`
      : `the previous database is kept as "${plan.previous}"; when you no longer need it: DROP DATABASE "${plan.previous}"`,
  );
}

function resultOf({ plan, tables, skipped, dropped, durationMs }: RestoreReport): object {
  return {
    backup: plan.file.path,
    database: plan.target,
    previous: dropped ? null : (plan.previous ?? null),
    tables,
    skipped,
    durationMs: Math.round(durationMs),
  };
}
