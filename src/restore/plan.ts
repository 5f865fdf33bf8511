import type { NewDatabase } from '../postgres/databases.ts';
import { ownComment, type OwnComment, type PreviousDatabase } from '../postgres/previous.ts';
import { notedComment } from './scratch-mark.ts';
import type { ServerFacts } from './server-facts.ts';
import { momentOf, parseBackupName } from '../backup-directory/names.ts';
import { planCarryOver, planParameters } from './database-properties.ts';
import { compareRows, type Comparison } from './comparison.ts';
import { missingRoles, type MissingRoles } from './globals.ts';
import type { Finding } from './finding.ts';
import type { Situation } from './situation.ts';
import { findingsOf } from './checks.ts';
import { freeName } from './previous-name.ts';

/** What a restore is going to do. */
export interface RestorePlan {
  readonly file: Situation['file'];
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
  /** The own comment of the present database. */
  readonly targetComment: OwnComment;
  /** Roles and memberships that are created before, as they were stored. */
  readonly missing: MissingRoles;
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
  const { file, target, scratch, facts } = situation;
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
    missing:
      situation.createsRoles && situation.stored !== undefined
        ? missingRoles(situation.stored, facts)
        : { roles: new Map(), memberships: [] },
    remaining: facts.previous,
    serverVersion: facts.version,
    clients: facts.target?.clients ?? [],
    comparison: compareRows(situation.live, situation.head.tables),
    findings: [...findingsOf(situation), ...findings],
  };
}

function momentOfBackup(file: Situation['file']): Date | undefined {
  const { manifest } = file;
  if (manifest !== undefined) return new Date(manifest.createdAt);
  const name = parseBackupName(file.name);
  return name && momentOf(name.stamp);
}
