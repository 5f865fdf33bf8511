import { ownComment, type OwnComment, type PreviousDatabase } from '../postgres/previous.ts';
import { warning, type Finding } from './finding.ts';
import { freeName } from './previous-name.ts';
import type { Situation } from './situation.ts';
import { invalidFinding, ownershipFindings, swapFindings } from './swap-findings.ts';

/** What an undo is going to do. */
export interface UndoPlan {
  readonly target: string;
  /** The database that gets its name back. */
  readonly returning: PreviousDatabase;
  /** The name that the present one gets; undefined where there is none. */
  readonly previous: string | undefined;
  /** The own comment of the present one. */
  readonly targetComment: OwnComment;
  readonly findings: readonly Finding[];
}

/** @returns undefined where no restore has left anything to go back to. */
export function planUndo(
  situation: Pick<Situation, 'target' | 'facts' | 'stamp' | 'nonce'>,
): UndoPlan | undefined {
  const { target, facts } = situation;
  const returning = facts.previous.findLast((previous) => previous.target === target);
  return (
    returning && {
      target,
      returning,
      previous: facts.target && freeName(situation),
      targetComment: ownComment(target, facts.target?.description.settings.comment ?? null),
      findings: [
        ...ownershipFindings(facts, target),
        ...swapFindings({ target, facts, dropOld: false }),
        ...(returning.invalid ? [invalidFinding(returning.name)] : []),
        ...(facts.target === undefined ? [notTheLast(target, returning)] : []),
      ],
    }
  );
}

/** Where nothing is there, a person may want the last backup, and not what a restore has replaced some time ago. */
const notTheLast = (target: string, { name }: PreviousDatabase): Finding =>
  warning(
    `there is no database "${target}": "${name}" is what it was before a restore, its name tells when`,
    '`pratiko-backup restore` takes the latest backup instead',
  );
