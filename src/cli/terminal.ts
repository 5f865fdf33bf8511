import type { Flags } from '../config/sources.ts';
import type { Context } from '../context.ts';
import type { Invocation } from '../schedule/entries.ts';
import type { Result } from './schemas.ts';

/** What a person has answered; undefined where there is no terminal to ask at, `end` where it was closed (Ctrl-D). */
export type Answer = { readonly text: string } | 'end' | undefined;

/** What a command is given of the world: settings, a place for results, a person to ask. */
export interface Terminal {
  /** Loads the settings with these flags and starts the log. */
  open(flags: GlobalFlags, settings: Flags): Promise<Context>;
  /** Prints the result of the command to stdout: the text, or with `--json` the value. */
  result(value: Result, text?: string): void;
  /**
   * Writes a piece of a result that is no object, to stdout, and waits until it is taken.
   * @returns false where its reader has gone away.
   */
  write(bytes: Buffer | string): Promise<boolean>;
  /** What starts this program from anywhere, with these flags. */
  invocation(flags: GlobalFlags): Invocation;
  /** `20.19.0` */
  readonly nodeVersion: string;
  /** Who runs this. */
  userName(): string;
  /** Columns of the terminal that shows results; undefined where they go elsewhere. */
  readonly columns: number | undefined;
  /** How many cores this machine has, for what is done side by side. */
  readonly cores: number;
  /**
   * Asks a person. What was typed before the question is no answer to it.
   * @throws Interrupted at Ctrl-C.
   */
  ask(question: string): Promise<Answer>;
}

/** Options of every command, as commander names them. */
export interface GlobalFlags {
  readonly config?: string;
  /** Its name before; Node 20 takes it for itself where the file is missing. */
  readonly envFile?: string;
  readonly backupDir?: string;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly logFormat?: 'pretty' | 'json';
  readonly json?: true;
  readonly jsonSchema?: true;
}
