import { twoDigits } from '../base/format.ts';
import { logPathOf, type Invocation, type Job } from './entries.ts';

/** A unit file of systemd. */
export interface Unit {
  /** `pratiko-backup.service` */
  readonly name: string;
  readonly text: string;
}

/** The service and the timer of a job (systemd.service(5), systemd.timer(5)). */
export function unitsOf(invocation: Invocation, job: Job, user: string): Unit[] {
  const { node, script, project, options } = invocation;
  const name = job.name === 'backup' ? 'pratiko-backup' : 'pratiko-backup-drill';
  const what = job.name === 'backup' ? 'Backup of a PostgreSQL database' : 'Drill of a backup';
  const command = [node, script, ...options, ...job.args].map(quoted).join(' ');
  const day = job.day === undefined ? '*' : twoDigits(job.day);
  return [
    {
      name: `${name}.service`,
      text: `[Unit]
Description=${what}
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
User=${escaped(user)}
WorkingDirectory=${escaped(project)}
ExecStart=${command}
StandardOutput=append:${escaped(logPathOf(invocation))}
StandardError=inherit
`,
    },
    {
      name: `${name}.timer`,
      text: `[Unit]
Description=${what}, at its time

[Timer]
OnCalendar=*-*-${day} ${twoDigits(job.hour)}:${twoDigits(job.minute)}:00
Persistent=true

[Install]
WantedBy=timers.target
`,
    },
  ];
}

/** `%` begins a specifier. */
const escaped = (text: string) => text.replaceAll('%', '%%');

/** A word of a command line, in which `$` begins a variable, too. */
const quoted = (word: string) =>
  /^[\w./:@=+-]+$/.test(word)
    ? word
    : `"${escaped(word)
        .replaceAll('$', '$$$$')
        .replaceAll(/["\\]/g, String.raw`\$&`)}"`;
