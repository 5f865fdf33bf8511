import type { Command } from 'commander';
import { totalRows } from '../../base/table-rows.ts';
import { Failure } from '../../base/errors.ts';
import { formatBytes, formatPlural } from '../../base/format.ts';
import type { Verdict } from '../../inspect/verify.ts';
import { fileOrCopy, fromOffsiteOption, type OffsiteFlag } from '../../cli/from-offsite.ts';
import {
  addConnectionOptions,
  addJobsOption,
  settingsFrom,
  type ConnectionFlags,
} from '../../cli/options.ts';
import type { VerifyResult } from '../../cli/results.ts';
import { addCommand, type CommandHelp } from '../../cli/help.ts';
import type { GlobalFlags, Terminal } from '../../cli/terminal.ts';
import { runDrill } from './drill.ts';

interface Flags extends GlobalFlags, ConnectionFlags, OffsiteFlag {
  readonly all?: true;
  readonly restore?: true;
  readonly sandbox?: true;
  readonly jobs: number;
}

const help: CommandHelp = {
  does: 'read a backup to its last byte, or prove that it restores',
  examples: [
    'pratiko-backup verify',
    'pratiko-backup verify 20251129_020000',
    'pratiko-backup verify --all',
    'pratiko-backup verify --restore',
    'pratiko-backup verify --restore --sandbox 20251129_020000',
  ],
  exitCodes: {
    done: 'all that were read are good',
    usage: 'wrong options; contents not checked, for the key is not the right one',
    noSuchBackup: 'there is no such backup, or more than one begins so',
    locked: 'another run is at work in the directory (a copy is fetched into it)',
    toolMissing: 'not proven: a PostgreSQL program is missing or too old (--restore)',
    cannotConnect: 'a copy cannot be fetched; --restore: not proven, cannot connect',
    storage: 'the directory or the file cannot be read',
    dumpFailed: 'not proven: what was restored could not be dumped (--restore)',
    verificationFailed: 'a backup is not good, or does not come back as it is',
    restoreFailed: 'not proven: it cannot be restored here (--restore)',
  },
};

export function addVerifyCommand(program: Command, shell: Terminal): void {
  const command = addCommand(program, 'verify', help)
    .argument('[file]', 'path, name, time, `latest` or URL (default: latest)')
    .option('--all', 'every backup')
    .option(...fromOffsiteOption)
    .option('--restore', 'prove it: restore it into a database of its own and compare what arrives')
    .option('--sandbox', 'do that in a throw-away PostgreSQL on this machine (--restore)');
  addJobsOption(command, 'sessions that load side by side (--restore)', shell.cores);
  addConnectionOptions(command).action(
    async (given: string | undefined, _flags: unknown, self: Command) => {
      const flags: Flags = self.optsWithGlobals();
      if (flags.all && (given !== undefined || flags.fromOffsite)) {
        throw new Failure('usage', '--all reads every backup in the directory, and nothing else', {
          hint: 'a file, or a copy by `--from-offsite NAME`, is read alone',
        });
      }
      if (flags.all && flags.restore) {
        throw new Failure('usage', '--restore proves one backup, not --all', {
          hint: 'name it: `pratiko-backup verify --restore 20251129_020000`',
        });
      }
      if (flags.sandbox && !flags.restore) {
        throw new Failure('usage', '--sandbox says where --restore works', {
          hint: '`pratiko-backup verify --restore --sandbox`',
        });
      }
      const context = await shell.open(flags, settingsFrom(flags));
      const { file } = await fileOrCopy(given, flags, {
        context,
        waitSeconds: 0,
        readsThere: true,
      });
      if (flags.restore) {
        const { sandbox = false, jobs } = flags;
        return runDrill(context, shell, { file, sandbox, jobs });
      }
      const { verify } = await import('../../inspect/verify.ts');
      const { verdicts, another } = await verify(context, {
        file,
        all: flags.all ?? false,
      });
      const bad = verdicts.filter(({ good }) => !good);
      const result: VerifyResult = {
        good: bad.length === 0,
        backups: verdicts.map((verdict) => ({
          ...verdict,
          unchecked: verdict.unchecked?.failure.message ?? null,
          defects: [...verdict.defects],
          leftOut: [...verdict.leftOut],
          tables: [...verdict.tables],
        })),
      };
      shell.result(result, verdicts.map(describe).join('\n'));
      if (bad.length > 0) throw notGood(bad, verdicts.length, another);
      const wrongKey = verdicts.find(({ unchecked }) => unchecked?.isWithoutKey === false);
      if (wrongKey?.unchecked !== undefined) throw wrongKey.unchecked.failure;
    },
  );
}

function describe(verdict: Verdict): string {
  if (!verdict.good) return `${verdict.name}  NOT GOOD: ${verdict.defects.join('; ')}`;
  if (verdict.unchecked !== undefined) {
    const { isWithoutKey, failure } = verdict.unchecked;
    const why = isWithoutKey ? 'there is no private key here' : failure.message;
    return `${verdict.name}  the bytes are those that were written; contents not checked: ${why}`;
  }
  const size = `${formatPlural(verdict.tables.length, 'table')}, ${formatPlural(totalRows(verdict.tables), 'row')}, ${formatBytes(verdict.fileBytes)}`;
  const legacy =
    verdict.messages === 0
      ? ''
      : ` (made by the old script: ${formatPlural(verdict.messages, 'progress message')} inside; restorable)`;
  const manifest = verdict.byNewerVersion
    ? ' (made by a newer version of this tool: its manifest was not compared)'
    : verdict.hasManifest
      ? ''
      : ' (no manifest to compare with)';
  const leftOut =
    verdict.leftOut.length === 0 ? '' : ` (without the rows of ${verdict.leftOut.join(', ')})`;
  return `${verdict.name}  good: ${size}${leftOut}${legacy}${manifest}`;
}

function notGood(bad: readonly Verdict[], all: number, another = ''): Failure {
  const [first] = bad;
  const message =
    all === 1 && first !== undefined
      ? `${first.name} is not good: ${first.defects.join('; ')}`
      : `${bad.length} of ${formatPlural(all, 'backup')} ${bad.length === 1 ? 'is' : 'are'} not good`;
  return new Failure('verificationFailed', message, {
    hint: `${all === 1 ? `${first?.hint ?? another}; ` : ''}nothing was removed; if the database is still there, back it up now`,
  });
}
