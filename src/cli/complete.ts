import type { RootCommand } from '@bomb.sh/tab';
import type { Argument, Command, Option } from 'commander';

/** What can be typed, and what it is: without that, zsh shows a dash alone. */
interface Word {
  readonly word: string;
  readonly about: string;
}

/** Values that are not fixed. */
export interface Values {
  readonly backups: readonly Word[];
  readonly tables: readonly Word[];
}

/** What a value is, by how the help calls it: `[file]`, `<table...>`. */
type Kind = 'backup' | 'table' | 'path' | undefined;

const kindOfArgument = (argument: Argument): Kind =>
  ['file', 'A', 'B'].includes(argument.name()) ? 'backup' : undefined;

function kindOfOption({ flags }: Option): Kind {
  const called = /[<[](\w+)/.exec(flags)?.[1];
  if (called === 'file' || called === 'dir') return 'path';
  return called === 'backup' || called === 'table' ? called : undefined;
}

/**
 * Whether the word that is being typed is a path, which the shell itself completes best.
 * @param words those of the command line behind the program, the last one as far as it is typed.
 */
export function isPath(program: Command, words: readonly string[]): boolean {
  const [before = '', word = ''] = words.slice(-2);
  if (/^[.~]|\//.test(word)) return true;
  const options = [program, ...program.commands].flatMap((command) => command.options);
  return options.some(
    (option) => kindOfOption(option) === 'path' && [option.short, option.long].includes(before),
  );
}

/** Tells the engine what there is: commands, the options and arguments of the one that is typed, their values. */
export function describeTo(
  root: RootCommand,
  program: Command,
  words: readonly string[],
  values: Values,
): void {
  const offers: Readonly<Record<NonNullable<Kind>, readonly (readonly [string, string])[]>> = {
    backup: [['latest', 'the latest one'], ...values.backups.map(asOffer)],
    table: values.tables.map(asOffer),
    path: [],
  };
  const describe = (target: ReturnType<RootCommand['command']>, command: Command) => {
    const all = [...command.options, ...(command === program ? [] : program.options)];
    for (const option of all.filter(({ hidden }) => !hidden)) {
      addOption(target, option, offers[kindOfOption(option) ?? 'path']);
    }
    for (const argument of command.registeredArguments) {
      const kind = kindOfArgument(argument);
      const choices = argument.argChoices ?? (argument.name() === 'command' ? names(program) : []);
      const offered =
        kind === undefined
          ? choices.map((choice) => [choice, argument.description] as const)
          : offers[kind];
      target.argument(argument.name(), giver(offered), argument.variadic);
    }
  };
  describe(root, program);
  for (const name of names(program)) {
    const command = program.commands.find((each) => each.name() === name);
    if (command === undefined) continue;
    const described = root.command(name, command.description());
    // The engine does not tell options of the same name apart.
    if (words.includes(name)) describe(described, command);
  }
}

const asOffer = ({ word, about }: Word) => [word, about] as const;

const names = (program: Command) =>
  program
    .createHelp()
    .visibleCommands(program)
    .map((command) => command.name());

function addOption(
  target: ReturnType<RootCommand['command']>,
  { long, short, description, required, optional, argChoices }: Option,
  offered: readonly (readonly [string, string])[],
): void {
  const name = long?.slice(2);
  if (name === undefined) return;
  const alias = short?.slice(1);
  if (!required && !optional) {
    if (alias === undefined) target.option(name, description);
    else target.option(name, description, alias);
    return;
  }
  const choices = argChoices?.map((choice) => [choice, description] as const) ?? offered;
  target.option(name, description, giver(choices), alias);
}

const giver =
  (offered: readonly (readonly [string, string])[]) =>
  (complete: (value: string, description: string) => void): void => {
    for (const [value, about] of offered) complete(value, about);
  };

/** The words with `--option=value` as two, but for the one that is being typed. */
export const separated = (words: readonly string[]): string[] =>
  words.flatMap((word, at) => {
    const [, option, value] = /^(--[\w-]+)=(.*)$/s.exec(word) ?? [];
    const isWhole = option === undefined || value === undefined || at === words.length - 1;
    return isWhole ? [word] : [option, value];
  });

/**
 * The words as the engine understands them: of several values of one option (`--table a b`), only the last one
 * counts.
 */
export function withOneValue(program: Command, words: readonly string[]): string[] {
  const index = words.findLastIndex((word, at) => word.startsWith('-') && at < words.length - 1);
  const options = program.commands.flatMap((command) => command.options);
  const isList = options.some(({ long, variadic }) => variadic && long === words[index]);
  return isList ? [...words.slice(0, index + 1), ...words.slice(-1)] : [...words];
}
