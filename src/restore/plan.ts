import type { NewDatabase } from '../postgres/databases.ts';
import {
  ownComment,
  previousName,
  type OwnComment,
  type PreviousDatabase,
} from '../postgres/previous.ts';
import { notedComment, scratchName } from './scratch.ts';
import type { ServerFacts } from './server-facts.ts';
import type { BackupFile } from '../backup-directory/backup.ts';
import { momentOf, parseBackupName } from '../backup-directory/names.ts';
import { planCarryOver, planParameters } from './database-properties.ts';
import { compareRows, type Comparison } from './comparison.ts';
import type { Finding } from './finding.ts';
import type { Situation } from './situation.ts';
import {
  contentFindings,
  creationFindings,
  extensionFindings,
  fileFindings,
  invalidFinding,
  ownershipFindings,
  roleFindings,
  swapFindings,
  tablespaceFindings,
  versionFindings,
} from './checks.ts';
import { roomFindings } from './room-findings.ts';

/** What a restore is going to do. */
export interface RestorePlan {
  readonly file: BackupFile;
  /** When the backup was made; undefined where neither manifest nor name tell. */
  readonly madeAt: Date | undefined;
  readonly target: string;
  /** Where the dump is loaded first. */
  readonly scratch: string;
  /** The name that the present database gets; undefined where there is none. */
  readonly previous: string | undefined;
  /** What the new database is to be like; undefined: like any of this server. */
  readonly create: NewDatabase | undefined;
  /** Give the new database what the old one had beside its contents: before the load, and after it. */
  readonly settings: { readonly before: readonly string[]; readonly after: readonly string[] };
  readonly comment: OwnComment;
  /** Of the present database. */
  readonly targetComment: OwnComment;
  /** Kept by earlier restores. */
  readonly remaining: readonly PreviousDatabase[];
  readonly serverVersion: string;
  /** Who is connected to the present database, and will be disconnected. */
  readonly clients: NonNullable<ServerFacts['target']>['clients'];
  readonly comparison: Comparison | undefined;
  readonly findings: readonly Finding[];
}

/** Decides what a restore does, and finds all that speaks against it at once. */
export function planRestore(situation: Situation): RestorePlan {
  const { file, target, facts, stamp, nonce } = situation;
  const scratch = scratchName(target, stamp, nonce);
  const present = facts.target?.description;
  const { manifest } = file;
  const like = present ?? manifest?.database;
  const ofDump = situation.head.parameters;
  const carried =
    like &&
    planCarryOver({
      like,
      whileLoading:
        manifest?.database.settings?.parameters ?? (ofDump.length > 0 ? ofDump : undefined),
      noteComment: present === undefined,
      scratch,
      facts,
      owner: situation.owners || present !== undefined,
      privileges: situation.privileges,
    });
  const { statements, findings } = carried ?? planParameters(ofDump, scratch, facts);
  return {
    file,
    madeAt: momentOfBackup(file),
    target,
    scratch,
    previous: present && freeName(situation),
    create: carried?.create,
    settings: statements,
    comment:
      present === undefined ? notedComment(scratch) : ownComment(target, present.settings.comment),
    targetComment: ownComment(target, present?.settings.comment ?? null),
    remaining: facts.previous,
    serverVersion: facts.version,
    clients: facts.target?.clients ?? [],
    comparison: compareRows(situation.live, situation.head.tables),
    findings: [
      ...creationFindings(facts),
      ...ownershipFindings(facts, target),
      ...swapFindings(situation),
      ...fileFindings(situation),
      ...roleFindings(situation),
      ...versionFindings(situation),
      ...extensionFindings(situation),
      ...tablespaceFindings(situation),
      ...roomFindings(situation),
      ...contentFindings(situation),
      ...findings,
    ],
  };
}

/** What an undo is going to do. */
export interface UndoPlan {
  readonly target: string;
  /** The database that gets its name back. */
  readonly returning: PreviousDatabase;
  /** The name that the present one gets; undefined where there is none. */
  readonly previous: string | undefined;
  /** Of the present one. */
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
      ],
    }
  );
}

function momentOfBackup(file: BackupFile): Date | undefined {
  const { manifest } = file;
  if (manifest !== undefined) return new Date(manifest.createdAt);
  const stamp = parseBackupName(file.name);
  return stamp && momentOf(stamp);
}

/** Two restores in one second: the name of the second one is a little longer. */
function freeName({
  target,
  facts,
  stamp,
  nonce,
}: Pick<Situation, 'target' | 'facts' | 'stamp' | 'nonce'>): string {
  const name = previousName(target, stamp);
  // What tells two long names apart can be in what was cut off.
  const isTaken = facts.databases.includes(name) || !name.startsWith(target);
  return isTaken ? previousName(target, `${stamp}_${nonce}`) : name;
}
