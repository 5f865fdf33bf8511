import type { Command } from 'commander';
import { Failure } from '../../base/errors.ts';
import { formatPlural } from '../../base/format.ts';
import { addConnectionOptions, settingsFrom, type ConnectionFlags } from '../../cli/options.ts';
import type { DoctorResult } from '../../cli/status-results.ts';
import { addCommand, type CommandHelp } from '../../cli/help.ts';
import type { GlobalFlags, Terminal } from '../../cli/terminal.ts';
import type { Check } from '../../doctor/check.ts';

interface Flags extends GlobalFlags, ConnectionFlags {
  readonly notify?: true;
}

const help: CommandHelp = {
  does: 'check all that backups and restores depend on, a line a check',
  examples: ['pratiko-backup doctor', 'pratiko-backup doctor --notify'],
  exitCodes: {
    done: 'nothing has failed (there may be warnings)',
    usage: 'wrong options',
    incomplete: 'a check has failed: its line says what to do',
  },
};

export function addDoctorCommand(program: Command, shell: Terminal): void {
  const command = addCommand(program, 'doctor', help).option(
    '--notify',
    'send a test message to Slack and WEBHOOK_URL',
  );
  addConnectionOptions(command).action(async (_flags: unknown, self: Command) => {
    const flags: Flags = self.optsWithGlobals();
    const checks = await checksFor(flags, shell);
    const count = (state: Check['state']) => checks.filter((check) => check.state === state).length;
    const result: DoctorResult = { ok: count('failed') === 0, checks: [...checks] };
    const { describeChecks } = await import('./text.ts');
    shell.result(result, describeChecks(checks, shell.columns));
    if (count('failed') === 0) return;
    throw new Failure('incomplete', `${formatPlural(count('failed'), 'check')} failed`, {
      hint: 'each has its hint; begin with the first one, and run this again',
    });
  });
}

/** It is called when everything is broken, the settings among it. */
async function checksFor(flags: Flags, shell: Terminal): Promise<readonly Check[]> {
  try {
    const context = await shell.open(flags, settingsFrom(flags));
    const { examine } = await import('../../doctor/doctor.ts');
    return await examine(context, {
      nodeVersion: shell.nodeVersion,
      notify: flags.notify ?? false,
      options: shell.invocation(flags).options,
    });
  } catch (error) {
    if (!(error instanceof Failure && error.kind === 'usage')) throw error;
    const { message, hint } = error;
    const rest = 'the rest was not checked: it depends on the settings';
    return [
      { name: 'settings', state: 'failed', message, hint },
      { name: 'others', state: 'warning', message: rest, hint: 'run this again' },
    ];
  }
}
