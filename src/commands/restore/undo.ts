import { describePlace } from '../../config/place.ts';
import type { Context } from '../../context.ts';
import { askingLog, confirm } from '../../cli/confirm.ts';
import { keptResult } from '../../cli/kept-database.ts';
import type { UndoPlanResult, UndoResult } from '../../cli/restore-results.ts';
import type { RestoreFlags } from './options.ts';
import { announceUndo } from './text.ts';
import type { Terminal } from '../../cli/terminal.ts';

/** `restore --undo` */
export async function undo(context: Context, flags: RestoreFlags, shell: Terminal): Promise<void> {
  context.log.info(`taking back the last restore of ${describePlace(context.config)}`);
  const { previewUndo, undoRestore } = await import('../../restore/undo.ts');
  if (flags.dryRun) {
    const plan = await previewUndo(context);
    announceUndo(plan, context.log);
    const { target, returning, previous, findings } = plan;
    const result: UndoPlanResult = {
      dryRun: true,
      plan: {
        database: target,
        returning: keptResult(returning),
        previous: previous ?? null,
        findings: [...findings],
      },
    };
    shell.result(result, 'nothing was changed (--dry-run)');
    return;
  }
  const { target, returning, previous } = await undoRestore(context, {
    waitSeconds: flags.wait,
    confirm: async (plan) => {
      announceUndo(plan, askingLog(context.log, flags));
      if (!flags.yes)
        await confirm(`Undo the restore of "${plan.target}"?`, plan.target, shell, context.log);
    },
  });
  const kept = previous === undefined ? '' : `; the undone one is kept as "${previous}"`;
  context.log.info(`"${target}" is again the database that was kept as "${returning.name}"${kept}`);
  const result: UndoResult = {
    database: target,
    was: returning.name,
    previous: previous ?? null,
  };
  shell.result(result);
}
