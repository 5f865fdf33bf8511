/** What every exit code of the program means; help texts say what some of them mean for a command. */
export const exitCodeMeanings: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'done'],
  ['1', 'unexpected error: a bug: report the stack that is printed'],
  [
    '2',
    'wrong usage or settings; POSTGRES_EXEC leads through a terminal; or a confirmation is needed and there is no terminal',
  ],
  [
    '3',
    'the backup is safe, but a step after it failed (`latest`, roles, drill, retention, copies); restored, but `--drop-old` could not drop; `status`: not healthy; `doctor`: a check failed',
  ],
  ['10', 'no such backup, or more than one that begins so'],
  ['11', 'another run is at work in this directory, or another restore on this database'],
  ['12', 'a PostgreSQL tool is missing, or too old for the server'],
  ['13', 'cannot connect: refused, password, no such database; a privilege to read is missing'],
  ['14', 'the disk: full, read-only, no permission'],
  ['20', 'the dump failed; no file was left'],
  ['21', 'a backup is not good, or does not come back as it is; or the file to restore is none'],
  [
    '22',
    'the restore failed, or its file proved bad while it was loaded; the live database was not touched',
  ],
  ['129, 130, 143', 'interrupted (SIGHUP, SIGINT, SIGTERM), cleaned up'],
];
