import { Failure } from '../base/errors.ts';

/** Something a person should know before a restore; a blocker keeps it from beginning, a note is no reason to stop. */
export interface Finding {
  readonly severity: 'blocker' | 'warning' | 'note';
  readonly message: string;
  readonly hint: string;
}

/** @throws Failure `restoreFailed` with everything that stands in the way. */
export function requirePossible({ findings }: { readonly findings: readonly Finding[] }): void {
  const blockers = findings.filter(({ severity }) => severity === 'blocker');
  if (blockers.length === 0) return;
  throw new Failure('restoreFailed', blockers.map(({ message }) => message).join('; '), {
    hint: `${blockers.map(({ hint }) => hint).join('; ')}; nothing was changed`,
  });
}

/**
 * What a person has agreed to must be what is done.
 * @throws Failure `restoreFailed` where somebody else has changed it meanwhile.
 */
export function requireSame(now: unknown, agreed: unknown, target: string): void {
  if (now === agreed) return;
  throw new Failure(
    'restoreFailed',
    `database "${target}" was changed by somebody else meanwhile`,
    {
      hint: 'nothing was changed by this run: look at it (`pratiko-backup list`), and run it again',
    },
  );
}

export const blocker = (message: string, hint: string): Finding => ({
  severity: 'blocker',
  message,
  hint,
});
export const warning = (message: string, hint: string): Finding => ({
  severity: 'warning',
  message,
  hint,
});

export const note = (message: string, hint: string): Finding => ({
  severity: 'note',
  message,
  hint,
});
