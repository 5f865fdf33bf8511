import { inspect } from 'node:util';
import { CommanderError } from 'commander';
import { exitCodes, Failure, Interrupted, messageOf, systemErrorCode } from '../base/errors.ts';
import type { ErrorResult } from '../cli/results.ts';

/** What went wrong, as people and programs are told; undefined for what is none: a help text was shown. */
export interface DescribedError {
  readonly result: ErrorResult['error'];
  /** For people: with the stack where it is a bug; undefined where they have been shown the help. */
  readonly message: string | undefined;
}

export function describeError(error: unknown): DescribedError | undefined {
  if (error instanceof CommanderError) return describeUsage(error);
  if (error instanceof Failure) {
    const { exitCode: code, kind, message, hint } = error;
    return { result: { code, kind, message, hint }, message };
  }
  const message = messageOf(error);
  if (error instanceof Interrupted) {
    const result = { code: error.exitCode, kind: 'interrupted', message, hint: null } as const;
    return { result, message };
  }
  const code = exitCodes.unexpected;
  if (shortages.includes(systemErrorCode(error) ?? '')) {
    const hint = 'the system is short of open files, memory or processes: see `ulimit -a`';
    return { result: { code, kind: 'unexpected', message, hint }, message };
  }
  return {
    result: {
      code,
      kind: 'unexpected',
      message,
      hint: 'this is a bug: report it with what is printed',
    },
    message: `unexpected error: ${inspect(error)}`,
  };
}

/** What a system may be short of: no code of ours can do anything about it. */
const shortages = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'];

/** Commander says `error: …`, and what was perhaps meant in parentheses on a line of its own. */
function describeUsage({ exitCode, message }: CommanderError): DescribedError | undefined {
  if (exitCode === 0) return undefined;
  const [, first = '', meant] =
    /^(?:error: )?([^]*?)(?:\n\(Did you mean ([^]*)\))?$/.exec(message) ?? [];
  const isHelp = first === '(outputHelp)';
  const text = isHelp ? 'no command was given' : first.replace(/\.$/, '');
  const hint = `${meant === undefined ? '' : `did you mean ${meant} `}add --help to see what is accepted`;
  return {
    result: { code: exitCodes.usage, kind: 'usage', message: text, hint },
    message: isHelp ? undefined : text,
  };
}
