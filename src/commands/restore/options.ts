import type { Command } from 'commander';
import { Failure } from '../../base/errors.ts';
import {
  addConnectionOptions,
  addJobsOption,
  addWaitOption,
  type ConnectionFlags,
} from '../../cli/options.ts';
import { fromOffsiteOption, type OffsiteFlag } from '../../cli/from-offsite.ts';
import { moreOptions, type CommandHelp } from '../../cli/help.ts';
import type { GlobalFlags } from '../../cli/terminal.ts';

export interface RestoreFlags extends GlobalFlags, ConnectionFlags, OffsiteFlag {
  readonly to?: string;
  readonly table?: string[];
  readonly globals?: boolean;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly dropOld?: true;
  readonly undo?: true;
  readonly salvage?: true;
  readonly unproven?: true;
  readonly force?: true;
  readonly skipRefused?: true;
  readonly owner: boolean;
  readonly privileges: boolean;
  readonly wait: number;
  readonly jobs: number;
}

export const restoreHelp: CommandHelp = {
  does: 'load a backup beside the live database, check it, swap it in',
  examples: [
    'pratiko-backup restore --dry-run',
    'pratiko-backup restore 20251129_140000',
    'pratiko-backup restore',
    'pratiko-backup restore 20251129_140000 --to aifinance_test',
    'pratiko-backup restore backups/pratiko_backup_20251129_140000.sql.gz --yes',
    'pratiko-backup restore --table knowledge_items --to rescue',
    'pratiko-backup restore --from-offsite',
    'pratiko-backup restore --undo',
    'pratiko-backup restore --salvage 20251129_140000',
  ],
  exitCodes: {
    done: 'restored (--salvage: rescued what could be read)',
    usage: 'not confirmed, or there is no terminal to ask at: use --yes',
    incomplete: 'restored, but --drop-old could not drop the previous database',
    noSuchBackup: 'there is no such backup; --undo: nothing to go back to',
    locked: 'another run is at work in the directory or on the database',
    toolMissing: 'psql is missing',
    cannotConnect: 'cannot connect',
    storage: 'the directory or the file cannot be read',
    verificationFailed: 'the file cannot be a backup: empty, of another format or size',
    restoreFailed: 'the restore failed or the file is bad; live database untouched',
  },
};

/** A restore, an undo and a salvage share their options; `requireOneWay` tells which go together. */
export function addRestoreOptions(command: Command, cores: number): void {
  command
    .option('--dry-run', 'look at everything, print the plan, change nothing')
    .option('--to <db>', 'into this database instead (it need not exist)')
    .option('--undo', 'take the last restore back: the previous one returns')
    .option(...fromOffsiteOption)
    .option('--table <table...>', 'only these tables, with what they need (with --to)')
    .option('--salvage', 'rescue what can be read of a damaged backup')
    .option('--skip-refused', 'load what the server takes, list the rest, ask again')
    .option('-y, --yes', 'do not ask')
    .optionsGroup(moreOptions)
    .option('--globals', 'create the roles that are missing, as they were stored beside the backup')
    .option('--drop-old', 'drop the previous database afterwards')
    .option('--unproven', 'take SQL that does not prove that it is whole')
    .option('--force', 'go on although there may be too little room')
    .option('--no-owner', 'everything belongs to the user who restores')
    .option('--no-privileges', 'leave out GRANT and REVOKE');
  addJobsOption(command, 'sessions that load at a time; 1: in the order of the dump', cores);
  addWaitOption(addConnectionOptions(command));
}

/**
 * A restore, an undo and a salvage are different things.
 * @throws Failure `usage`.
 */
export function requireOneWay(file: string | undefined, flags: RestoreFlags): void {
  const clashes = [
    flags.to !== undefined && flags.dbname !== undefined && 'give --to or --dbname, not both',
    flags.table && flags.to === undefined && '--table fills a new database: name it with --to',
    flags.table && flags.undo && '--undo loads nothing: leave out --table',
    flags.globals && flags.undo && '--undo loads nothing: leave out --globals',
    flags.globals && flags.salvage && 'give --salvage or --globals, not both',
    flags.table && flags.salvage && 'give --salvage or --table, not both',
    flags.undo && flags.fromOffsite && '--undo loads nothing: leave out --from-offsite',
    flags.undo && file !== undefined && '--undo takes no file: it swaps databases',
    flags.undo && flags.salvage && 'give --undo or --salvage, not both',
    flags.undo && flags.dropOld && '--undo keeps the undone database: leave out --drop-old',
    flags.undo &&
      !(flags.owner && flags.privileges) &&
      '--undo loads nothing: leave out --no-owner and --no-privileges',
    flags.undo && flags.skipRefused && '--undo loads nothing: leave out --skip-refused',
    flags.salvage && flags.skipRefused && 'give --salvage or --skip-refused, not both',
    flags.salvage && flags.dropOld && '--salvage replaces nothing: leave out --drop-old',
    flags.salvage && flags.dryRun && '--salvage replaces nothing: leave out --dry-run',
  ].filter((clash) => typeof clash === 'string');
  if (clashes[0] === undefined) return;
  throw new Failure('usage', clashes[0], { hint: '`pratiko-backup help restore` shows examples' });
}
