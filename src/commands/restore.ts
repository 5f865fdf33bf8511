import type { Command } from 'commander';
import { Failure } from '../errors.ts';
import { shellWord } from '../format.ts';
import type { ReadProgress } from '../archive/read.ts';
import type { Context } from '../operations/context.ts';
import {
  addConnectionOptions,
  addJobsOption,
  addWaitOption,
  helpEnd,
  settingsFrom,
  type ConnectionFlags,
} from './options.ts';
import {
  announcePlan,
  announceRestored,
  announceUndo,
  describePlan,
  describeSalvage,
  describeSurvey,
  progressOf,
} from './restore-text.ts';
import type { GlobalFlags, Shell } from './shell.ts';

interface Flags extends GlobalFlags, ConnectionFlags {
  readonly to?: string;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly dropOld?: true;
  readonly undo?: true;
  readonly salvage?: true;
  readonly owner: boolean;
  readonly privileges: boolean;
  readonly wait: number;
  readonly jobs: number;
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
    .option('--dry-run', 'look at everything, print the plan, change nothing')
    .option('--undo', 'take the last restore back: swap the previous database in again')
    .option('--drop-old', 'drop the previous database afterwards')
    .option('--salvage', 'rescue what can be read of a damaged backup into a database of its own')
    .option('--no-owner', 'everything belongs to the user who restores')
    .option('--no-privileges', 'leave out GRANT and REVOKE');
  addJobsOption(command, 'sessions that load at a time; 1: in the order of the dump', shell.cores);
  addWaitOption(addConnectionOptions(command))
    .addHelpText(
      'after',
      helpEnd(
        [
          'pratiko-backup restore',
          'pratiko-backup restore --dry-run',
          'pratiko-backup restore 20251129_140000 --to aifinance_test',
          'pratiko-backup restore backups/pratiko_backup_20251129_140000.sql.gz --yes',
          'pratiko-backup restore --undo',
          'pratiko-backup restore --salvage 20251129_140000',
        ],
        [
          '0   restored (--salvage: rescued what could be read)',
          '2   confirmation is needed, but there is no terminal: use --yes',
          '10  there is no such backup; --undo: there is nothing to go back to',
          '11  another run is at work in the directory or on the database',
          '13  cannot connect',
          '21  the file is not a good backup',
          '22  the restore failed; the live database was not touched',
        ],
      ),
    )
    .action(async (file: string | undefined, _flags: unknown, self: Command) => {
      const flags: Flags = self.optsWithGlobals();
      requireOneWay(file, flags);
      const context = await shell.open(flags, {
        ...settingsFrom(flags),
        ...(flags.to === undefined ? {} : { database: flags.to }),
      });
      if (flags.undo) await undo(context, flags, shell);
      else if (flags.salvage) await salvage(file, context, flags, shell);
      else await restore(file, context, flags, shell);
    });
}

/** A restore, an undo and a salvage are different things. */
function requireOneWay(file: string | undefined, flags: Flags): void {
  const clashes = [
    flags.undo && file !== undefined && '--undo takes no file: it swaps databases',
    flags.undo && flags.salvage && 'give --undo or --salvage, not both',
    flags.undo && flags.dropOld && '--undo keeps the undone database: leave out --drop-old',
    flags.salvage && flags.dropOld && '--salvage replaces nothing: leave out --drop-old',
    flags.salvage && flags.dryRun && '--salvage replaces nothing: leave out --dry-run',
  ].filter((clash) => typeof clash === 'string');
  if (clashes[0] === undefined) return;
  throw new Failure('usage', clashes[0], { hint: '`pratiko-backup help restore` shows examples' });
}

async function restore(
  file: string | undefined,
  context: Context,
  flags: Flags,
  shell: Shell,
): Promise<void> {
  const operation = await import('../operations/restore.ts');
  const describeProgress = progressOf(performance.now());
  const options = {
    file,
    owners: flags.owner,
    privileges: flags.privileges,
    dropOld: flags.dropOld ?? false,
    onSurvey: (progress: ReadProgress) => shell.progress(() => describeSurvey(progress)),
  };
  if (flags.dryRun) {
    const plan = await operation.previewRestore(context, options);
    announcePlan(plan, options.dropOld, context);
    shell.result({ dryRun: true, plan }, describePlan(plan));
    return;
  }
  const report = await operation.restore(context, {
    ...options,
    waitSeconds: flags.wait,
    jobs: flags.jobs,
    confirm: async (plan) => {
      announcePlan(plan, options.dropOld, context);
      const verb = plan.previous === undefined ? 'Restore into' : 'Restore over';
      await confirm(`${verb} "${plan.target}"?`, plan.target, flags, shell);
    },
    onProgress: (progress) => shell.progress(() => describeProgress(progress)),
  });
  announceRestored(report, undoCommand(flags), context.log);
  const { plan, tables, inserted, skipped, dropped, durationMs } = report;
  shell.result({
    backup: plan.file.path,
    database: plan.target,
    previous: dropped ? null : (plan.previous ?? null),
    previousDatabases: plan.remaining,
    tables,
    inserted,
    skipped,
    durationMs: Math.round(durationMs),
  });
  if (flags.dropOld && plan.previous !== undefined && !dropped) {
    throw new Failure('incomplete', `restored, but "${plan.previous}" is still there`, {
      hint: 'drop it by hand when nothing uses it any more',
    });
  }
}

/** To be typed by a person in the same place. */
function undoCommand({ to, dbname }: Flags): string {
  const database = to ?? dbname;
  const target = database === undefined ? '' : ` --to ${shellWord(database)}`;
  return `pratiko-backup restore --undo${target}`;
}

async function undo(context: Context, flags: Flags, shell: Shell): Promise<void> {
  const { previewUndo, undoRestore } = await import('../operations/undo.ts');
  if (flags.dryRun) {
    const plan = await previewUndo(context);
    announceUndo(plan, context.log);
    shell.result({ dryRun: true, plan }, 'nothing was changed (--dry-run)');
    return;
  }
  const { target, returning, previous } = await undoRestore(context, async (plan) => {
    announceUndo(plan, context.log);
    await confirm(`Undo the restore of "${plan.target}"?`, plan.target, flags, shell);
  });
  context.log.info(
    `"${target}" is again the database that was kept as "${returning.name}"${previous === undefined ? '' : `; the undone one is kept as "${previous}"`}`,
  );
  shell.result({ database: target, was: returning.name, previous: previous ?? null });
}

async function salvage(
  file: string | undefined,
  context: Context,
  flags: Flags,
  shell: Shell,
): Promise<void> {
  const operation = await import('../operations/salvage.ts');
  const describeProgress = progressOf(performance.now());
  const report = await operation.salvage(context, {
    file,
    owners: flags.owner,
    privileges: flags.privileges,
    waitSeconds: flags.wait,
    onProgress: (progress) => shell.progress(() => describeProgress(progress)),
  });
  for (const defect of report.defects) {
    context.log.warn(
      { hint: 'look at what was rescued: where a checksum does not fit, rows can be altered' },
      `the file is not good: ${defect}`,
    );
  }
  for (const error of new Set(report.errors))
    context.log.warn(`the server refused something: ${error}`);
  shell.result(report, describeSalvage(report));
}

/** Typing the database's name cannot happen by accident. */
async function confirm(
  question: string,
  target: string,
  flags: Flags,
  shell: Shell,
): Promise<void> {
  if (flags.yes) return;
  const answer = await shell.ask(`${question} Type the name of the database to go on: `);
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
