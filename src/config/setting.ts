import type { z } from 'zod';
import type { Zod } from './values.ts';

/** One setting, as the table has it. */
export interface Setting {
  /** Within one source the first that is set wins; people know the setting by the last. */
  readonly variables: readonly [string, ...string[]];
  /** How it is given on the command line; people know the last. */
  readonly flags?: readonly string[];
  /** Never shown, never on a command line, never given to a child that does not need it. */
  readonly isSecret?: true;
  /** Text in, value out; an error says what is accepted. Built when settings are read: help needs no zod. */
  readonly schema: (zod: Zod) => z.ZodType<unknown, string>;
  /** As a person would write it; without it the setting is unset. */
  readonly default?: string;
  /** What it is, in a clause; behind a semicolon or colon, what help texts have no room for. */
  readonly help: string;
}

/** The variable by which people know a setting. */
export const variableOf = ({ variables }: Setting): string => variables.at(-1) ?? variables[0];

/** The variable that names a file with a secret, as Docker has it; none for what is no secret. */
export const fileVariablesOf = (setting: Setting): string[] =>
  setting.isSecret ? [`${variableOf(setting)}_FILE`] : [];
