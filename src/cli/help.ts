import { Help, type Command, type Option } from 'commander';
import { exitCodes, type FailureKind } from '../base/errors.ts';

/** What an exit code means for a command, by the kind of failure; `done` is 0. */
export type OwnExitCodes = Readonly<
  { done: string } & Partial<Record<Exclude<FailureKind, 'unexpected'>, string>>
>;

/** What people are told of a command beside its options. */
export interface CommandHelp {
  /** One phrase. */
  readonly does: string;
  /** Command lines; the first two are those that most people need. */
  readonly examples: readonly string[];
  readonly exitCodes: OwnExitCodes;
}

const helps = new WeakMap<Command, CommandHelp>();

/** Begins a command whose help is this. */
export function addCommand(program: Command, name: string, help: CommandHelp): Command {
  const command = program.command(name).description(help.does);
  helps.set(command, help);
  return command;
}

/** The help of a command that has one. */
export const helpOf = (command: Command): CommandHelp | undefined => helps.get(command);

/** Options that few need: `--help` names them, `help COMMAND` says what they do. */
export const moreOptions = 'More options:';

const width = 80;

/** `--help`: what most people need, on one screen of 24 lines. */
export function shortHelp(command: Command, helper: Help): string {
  const help = helps.get(command);
  const options = helper.visibleOptions(command).filter(({ long }) => long !== '--help');
  const isRoot = command.parent === null;
  const common = isRoot ? [] : options.filter((option) => groupOf(option) === commonOptions);
  const listed: [string, string][] = [
    ...helper
      .visibleArguments(command)
      .map((argument): [string, string] => [
        helper.argumentTerm(argument),
        helper.argumentDescription(argument),
      ]),
    ...common.map((option): [string, string] => [
      helper.optionTerm(option),
      helper.optionDescription(option),
    ]),
    ...helper
      .visibleCommands(command)
      .map((sub): [string, string] => [sub.name(), helper.subcommandDescription(sub)]),
  ];
  const rest = options.filter((option) => !common.includes(option));
  const global = helper.visibleGlobalOptions(command).filter(({ long }) => long !== '--version');
  return lines([
    `Usage: ${helper.commandUsage(command)}`,
    command.description(),
    '',
    ...(listed.length === 0 ? [] : [...aligned(listed), '']),
    ...groupsOf(rest).map(([heading, members]) => named(heading, members)),
    ...(global.length === 0 ? [] : [named('Everywhere:', global)]),
    ...(help === undefined ? [] : ['Examples:', ...help.examples.slice(0, 2).map(indent)]),
    ...(isRoot
      ? ['The database is gone? `pratiko-backup restore` asks first, and loses nothing.']
      : []),
    `\`pratiko-backup help ${isRoot ? 'COMMAND' : command.name()}\`: all options, more examples, the exit codes.`,
  ]);
}

/** `help COMMAND`: every option with what it does, all examples, the exit codes. */
export function longHelp(command: Command): string {
  const helper = Object.assign(new Help(), { helpWidth: width, showGlobalOptions: true });
  const help = helps.get(command);
  const text = helper.formatHelp(command, helper);
  if (help === undefined) return text;
  const codes = exitCodesOf(help).map(([code, meaning]) => `${code.padEnd(4)}${meaning}`);
  return lines([
    text,
    'Examples:',
    ...help.examples.map(indent),
    '',
    'Exit codes:',
    ...codes.map(indent),
  ]);
}

/** Exit codes with what they mean for a command, ascending. */
export function exitCodesOf({ exitCodes: meanings }: CommandHelp): (readonly [string, string])[] {
  const codes: Readonly<Record<string, number>> = { done: 0, ...exitCodes };
  return Object.entries(meanings)
    .map(([kind, meaning]) => ({ code: codes[kind] ?? 0, meaning }))
    .sort((a, b) => a.code - b.code)
    .map(({ code, meaning }) => [String(code), meaning] as const);
}

const commonOptions = 'Options:';

const groupOf = (option: Option) => option.helpGroupHeading ?? commonOptions;

/** Headings, each with its options, in the order in which they were declared. */
function groupsOf(options: readonly Option[]): [string, Option[]][] {
  const headings = [...new Set(options.map(groupOf))];
  return headings.map((heading) => [
    heading,
    options.filter((option) => groupOf(option) === heading),
  ]);
}

const lines = (all: readonly string[]) => `${all.join('\n')}\n`;

const indent = (line: string) => `  ${line}`;

/** A group in as few lines as it takes: names alone. */
function named(heading: string, options: readonly Option[]): string {
  const names = options.map(({ short, long = '' }) =>
    short === undefined ? long : `${short}, ${long}`,
  );
  return wrap(`${heading} ${names.join('  ')}`, '  ');
}

/** Terms beside what they mean. */
function aligned(rows: readonly (readonly [string, string])[]): string[] {
  const column = Math.max(...rows.map(([term]) => term.length)) + 4;
  return rows.map(
    ([term, meaning]) => `  ${term.padEnd(column - 2)}${wrap(meaning, ' '.repeat(column))}`,
  );
}

/** Breaks a text between words; lines but the first are indented. */
const wrap = (text: string, indentation: string) =>
  new Help().boxWrap(text, width - indentation.length).replaceAll('\n', `\n${indentation}`);
