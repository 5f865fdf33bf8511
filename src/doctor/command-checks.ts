import type { Context } from '../context.ts';
import { environmentForCommands } from '../postgres/connection.ts';
import { isCommand } from '../postgres/prefix.ts';
import { failed, ok, warning, type Check } from './check.ts';

/** Where Debian's cron looks for commands. */
const cronPath = '/usr/bin:/bin';

/** Whether the commands of the team are there, here and for cron. */
export async function commandChecks({ config, environment }: Context): Promise<Check[]> {
  const commands = [
    ['POSTGRES_EXEC', config.connection.through],
    ['BEFORE_BACKUP', config.beforeBackup],
    ['AFTER_BACKUP', config.afterBackup],
  ] as const;
  const here = { environment: environmentForCommands(environment), cwd: config.projectRoot };
  const checks: Check[] = [];
  for (const [variable, words] of commands) {
    if (words === undefined) continue;
    const [file] = words;
    if (!(await isCommand(file, here))) {
      const hint = `write its whole path in ${variable}`;
      checks.push(failed('commands', `${variable}: no such command: ${file}`, hint));
    } else if (!(await isCommand(file, { ...here, environment: { PATH: cronPath } }))) {
      checks.push(
        warning(
          'commands',
          `${variable}: cron does not find ${file} on its PATH (${cronPath})`,
          `write its whole path in ${variable} (\`command -v ${file}\`)`,
        ),
      );
    } else checks.push(ok('commands', `${variable}: ${file} is there, also for cron`));
  }
  return checks;
}
