import { Failure } from '../../base/errors.ts';
import { describePlace } from '../../config/place.ts';
import type { Context } from '../../context.ts';
import { askingLog, confirm } from '../../cli/confirm.ts';
import type { FoundFile } from '../../cli/from-offsite.ts';
import type { RestoreFlags } from './options.ts';
import { announceRefusals } from './refused-text.ts';
import { announcePlan, announceRestored, announceSteps, describePlan } from './text.ts';
import { planResultOf, restoreResultOf } from './results.ts';
import type { Terminal } from '../../cli/terminal.ts';

/** `restore` without `--undo` and `--salvage` */
export async function restore(
  { file, from }: FoundFile,
  context: Context,
  flags: RestoreFlags,
  shell: Terminal,
): Promise<void> {
  context.log.info(`restoring into ${describePlace(context.config)}`);
  const operation = await import('../../restore/restore.ts');
  const options = {
    file,
    fetchedFrom: from,
    tables: flags.table,
    globals: flags.globals ?? false,
    owners: flags.owner,
    privileges: flags.privileges,
    dropOld: flags.dropOld ?? false,
    unproven: flags.unproven ?? false,
    force: flags.force ?? false,
    skipRefused: flags.skipRefused ?? false,
  };
  if (flags.dryRun) {
    const plan = await operation.previewRestore(context, options);
    announcePlan(plan, context.log, context.now());
    const text = describePlan(plan, options.dropOld, context.now());
    shell.result(planResultOf(plan), text);
    return;
  }
  const report = await operation.restore(context, {
    ...options,
    waitSeconds: flags.wait,
    jobs: flags.jobs,
    confirm: async (plan) => {
      const log = askingLog(context.log, flags);
      announcePlan(plan, log, context.now());
      announceSteps(plan, options.dropOld, log);
      const of = plan.file.manifest?.database.name ?? plan.target;
      const what = of === plan.target ? '' : ` a backup of "${of}"`;
      const where = plan.previous === undefined ? 'into' : 'over';
      const question = `Restore${what} ${where} "${plan.target}"?`;
      if (!flags.yes) await confirm(question, plan.target, shell, context.log);
    },
    confirmRefused: async (refusals, path) => {
      announceRefusals(refusals, path, context.log);
      const { database } = context.config.connection;
      const question = `Swap in "${database}" without them?`;
      if (!flags.yes) await confirm(question, database, shell, context.log);
    },
  });
  announceRestored(report, context);
  if (flags.table !== undefined) {
    context.log.info('to bring rows back from there, see the README (Some tables)');
  }
  shell.result(restoreResultOf(report));
  const { plan, dropped } = report;
  if (flags.dropOld && plan.previous !== undefined && !dropped) {
    throw new Failure('incomplete', `restored, but "${plan.previous}" is still there`, {
      hint: 'what came before says why, and how to drop it by hand',
    });
  }
}
