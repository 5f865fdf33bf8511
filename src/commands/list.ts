import type { Command } from 'commander';
import {
  formatAge,
  formatBytes,
  formatCount,
  formatLocalTime,
  formatPlural,
} from '../base/format.ts';
import type { ListedBackup } from '../inspect/list.ts';
import {
  addConnectionOptions,
  helpFooter,
  settingsFrom,
  type ConnectionFlags,
} from '../cli/options.ts';
import { describeKept, describeRescued, keptResult } from '../cli/kept-database.ts';
import type { ListResult } from '../cli/results.ts';
import type { GlobalFlags, Terminal } from '../cli/terminal.ts';
import { formatTable } from '../cli/table.ts';

export function addListCommand(program: Command, shell: Terminal): void {
  const command = program
    .command('list')
    .description('show every backup, and what restores have kept on the server');
  addConnectionOptions(command)
    .addHelpText(
      'after',
      helpFooter(['pratiko-backup list', 'pratiko-backup list --json'], {
        done: 'done (also where there is no backup)',
        storage: 'the directory cannot be read',
      }),
    )
    .action(async (_flags: unknown, self: Command) => {
      const flags: GlobalFlags & ConnectionFlags = self.optsWithGlobals();
      const context = await shell.open(flags, settingsFrom(flags));
      const { listAlmost, listFiles, listKept } = await import('../inspect/list.ts');
      const [backups, found] = [await listFiles(context), await listKept(context)];
      const { backupDir, connection } = context.config;
      const where = `${connection.host}:${connection.port}`;
      if ('problem' in found) {
        context.log.info(`what restores have kept on ${where} is not known: ${found.problem}`);
      }
      const { previous, rescued } = 'kept' in found ? found.kept : unknown;
      const bytes = backups.reduce((sum, backup) => sum + backup.bytes, 0);
      const files =
        backups.length === 0
          ? `no backups in ${backupDir}${context.config.backupDirIsDefault ? ' (set BACKUP_DIR or --backup-dir to look elsewhere)' : ''}`
          : `${describe(backups)}\n${formatPlural(backups.length, 'backup')}, ${formatBytes(bytes)} in ${backupDir}`;
      const almost = await listAlmost(context);
      for (const name of almost) {
        context.log.warn(
          { hint: 'to verify or restore it, give its path; rename it if it belongs here' },
          `${name} is not counted: its name is not exactly a backup's`,
        );
      }
      const result: ListResult = {
        directory: backupDir,
        backups: backups.map((backup) => ({ ...backup, moment: backup.moment.toISOString() })),
        totalBytes: bytes,
        notCounted: almost,
        previousDatabases: previous && previous.map(keptResult),
        rescuedDatabases: rescued && [...rescued],
      };
      shell.result(
        result,
        [
          files,
          ...(previous ?? []).map((database) => describeKept(database, where)),
          ...(rescued ?? []).map((database) => describeRescued(database, where)),
        ].join('\n'),
      );
    });
}

const unknown = { previous: null, rescued: null };

const states: Record<ListedBackup['state'], string> = {
  verified: 'verified',
  unverified: 'unverified',
  damaged: 'DAMAGED',
};

function describe(backups: readonly ListedBackup[]): string {
  const header = ['TIME', 'AGE', 'SIZE', 'TABLES', 'ROWS', 'STATE', 'NAME'];
  const rows = backups.map((backup) => [
    formatLocalTime(backup.moment),
    backup.ageMs < 0 ? 'in the future' : formatAge(backup.ageMs),
    formatBytes(backup.bytes),
    backup.tables === undefined ? '?' : formatCount(backup.tables),
    backup.rows === undefined ? '?' : formatCount(backup.rows),
    backup.byOldScript ? `old script, ${states[backup.state]}` : states[backup.state],
    `${backup.name}${backup.isLatest ? '  <- latest' : ''}`,
  ]);
  return formatTable([header, ...rows], [2, 3, 4]);
}
