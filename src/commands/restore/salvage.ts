import { describePlace } from '../../config/place.ts';
import type { Context } from '../../context.ts';
import type { RestoreFlags } from './options.ts';
import { describeRefused } from './refused-text.ts';
import { salvageResultOf } from './results.ts';
import { warnOf, warnOfSkipped } from './text.ts';
import type { Terminal } from '../../cli/terminal.ts';

/** `restore --salvage` */
export async function salvage(
  file: string | undefined,
  context: Context,
  flags: RestoreFlags,
  shell: Terminal,
): Promise<void> {
  const { log } = context;
  log.info(`what can be read goes into a new database beside ${describePlace(context.config)}`);
  const operation = await import('../../restore/salvage.ts');
  const report = await operation.salvage(context, {
    file,
    owners: flags.owner,
    privileges: flags.privileges,
    waitSeconds: flags.wait,
  });
  warnOf(report.findings, log);
  for (const defect of report.defects) {
    log.warn(
      { hint: 'look at the rows: where a checksum does not fit, they can be altered' },
      `the file is not good: ${defect}`,
    );
  }
  for (const line of describeRefused(report.refused)) log.warn(line);
  for (const message of new Set(report.leftOut)) log.warn(`left out: ${message}`);
  warnOfSkipped(report.skipped, log);
  const { describeSalvage } = await import('./salvage-text.ts');
  shell.result(salvageResultOf(report), describeSalvage(report, shell.columns));
}
