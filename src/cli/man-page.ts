import { Help, type Command, type Option } from 'commander';
import { settings } from '../config/settings.ts';
import { variableOf, type Setting } from '../config/setting.ts';
import { exitCodeMeanings } from './exit-codes.ts';
import { exitCodesOf, helpOf } from './help.ts';

/**
 * The manual page as roff, for man(1): commands, options, settings and exit codes, from where the help texts and
 * the checks have them.
 */
export function manPage(program: Command, version: string): string {
  const name = program.name();
  return [
    `.TH ${name.toUpperCase()} 1 "" "${name} ${version}" "User Commands"`,
    '.SH NAME',
    `${escape(name)} \\- backups of a PostgreSQL database, whole and verified, or not at all`,
    '.SH SYNOPSIS',
    `.B ${escape(name)}`,
    '[options] command [arguments]',
    '.SH DESCRIPTION',
    ...paragraphs,
    '.SH OPTIONS OF EVERY COMMAND',
    ...program.options.filter(({ hidden }) => !hidden).flatMap(optionLines),
    '.SH COMMANDS',
    ...new Help().visibleCommands(program).flatMap(commandLines),
    '.SH SETTINGS',
    text(
      'A flag wins over the environment, the environment over the file .env, that over the default.',
    ),
    ...Object.values<Setting>(settings).flatMap(settingLines),
    '.SH EXIT STATUS',
    ...exitCodeMeanings.flatMap(([code, meaning]) => term(code, meaning)),
    '.SH FILES',
    ...files.flatMap(([file, what]) => term(file, what)),
    '.SH SEE ALSO',
    '.BR pg_dump (1),',
    '.BR psql (1),',
    '.BR gzip (1),',
    '.BR age (1),',
    '.BR gpg (1)',
    '',
  ].join('\n');
}

const paragraphs = [
  text(
    'A backup is plain SQL in gzip, which `gunzip -c FILE | psql` reads without this program. It gets its name when it was read back and found good. A restore loads beside the live database, checks every row, and swaps the two; what was there is kept.',
  ),
  '.PP',
  text(
    'The database is gone? `pratiko-backup list` shows what there is, and `pratiko-backup restore` brings the latest back. It says what it is going to do, and asks, before anything is changed.',
  ),
];

const files: readonly (readonly [string, string])[] = [
  ['.env', 'the settings, in the project'],
  ['backups/pratiko_backup_YYYYMMDD_HHMMSS.sql.gz', 'a backup; the name is its local time'],
  ['backups/pratiko_backup_YYYYMMDD_HHMMSS.manifest.json', 'what is inside'],
  ['backups/pratiko_backup_latest.sql.gz', 'a link to the latest'],
  ['backups/RECOVERY.md', 'how to get the data back without this program'],
];

function commandLines(command: Command): string[] {
  const help = helpOf(command);
  const helper = new Help();
  const options = command.options.filter(({ hidden }) => !hidden);
  return [
    `.SS ${escape(helper.commandUsage(command).replace(/^\S+ /, ''))}`,
    text(command.description()),
    ...helper
      .visibleArguments(command)
      .flatMap((argument) =>
        term(helper.argumentTerm(argument), helper.argumentDescription(argument)),
      ),
    ...options.flatMap(optionLines),
    ...(help === undefined
      ? []
      : [
          '.PP',
          'Examples:',
          '.PP',
          '.nf',
          '.RS',
          ...help.examples.map(text),
          '.RE',
          '.fi',
          '.PP',
          'Exit codes:',
          ...exitCodesOf(help).flatMap(([code, meaning]) => term(code, meaning)),
        ]),
  ];
}

const optionLines = (option: Option) => term(option.flags, new Help().optionDescription(option));

function settingLines(setting: Setting): string[] {
  const others = setting.variables.filter((variable) => variable !== variableOf(setting));
  const also = [...others, ...(setting.flags ?? [])].join(', ');
  const value = setting.default === undefined ? '' : `=${setting.default}`;
  return term(
    `${variableOf(setting)}${value}`,
    `${setting.help}${also === '' ? '' : ` (also: ${also})`}`,
  );
}

const term = (name: string, meaning: string) => ['.TP', `.B ${escape(name)}`, text(meaning)];

/** A line of text: a dot or quote at its beginning is no command. */
function text(line: string): string {
  const escaped = escape(line);
  return /^\./.test(escaped) ? `\\&${escaped}` : escaped;
}

function escape(words: string): string {
  // Else quotes become curly: what is copied would not run.
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga');
}
