import type { DatabaseSettings, DatabaseTraits } from '../base/database-traits.ts';
import type { NewDatabase } from '../postgres/databases.ts';
import {
  couldStopALoad,
  limitStatements,
  parameterStatements,
  privilegeStatements,
  resetStatements,
} from '../base/database-statements.ts';
import { marker, noteComment } from './scratch-mark.ts';
import type { ServerFacts } from './server-facts.ts';
import { majorVersion } from '../base/major-version.ts';
import type { Finding } from './finding.ts';

export interface CreationOptions {
  /** What the new database is to be like; without settings where nobody recorded them. */
  readonly like: DatabaseTraits & { readonly settings?: DatabaseSettings | undefined };
  readonly facts: ServerFacts;
  /** False: it belongs to who restores. */
  readonly owner: boolean;
}

/** How to create a new database, and what it cannot be like here. */
export interface Creation {
  readonly create: NewDatabase;
  readonly findings: readonly Finding[];
}

export interface CarryOverOptions extends CreationOptions {
  readonly scratch: string;
  /** False: as every new database has them. */
  readonly privileges: boolean;
  /** What was set when the dump was made, where that is known: it decides how values are read. */
  readonly whileLoading: DatabaseSettings['parameters'] | undefined;
  /** No present database has the comment. */
  readonly noteComment: boolean;
}

/** What a new database gets beside its contents, and what it cannot get here. */
export interface CarryOver extends Creation {
  /** Statements for the new database, to be run one by one before it is loaded, and before the swap. */
  readonly statements: { readonly before: readonly string[]; readonly after: readonly string[] };
}

/** Decides how a new database is created so that it is like another. */
export function planCreation(options: CreationOptions): Creation {
  const { like, facts } = options;
  const findings: Finding[] = [];
  const lose = loseInto(findings);
  const ownable = facts.roles.assignable.has(like.owner) && facts.roles.inherited.has(like.owner);
  const owner = options.owner && ownable ? like.owner : undefined;
  if (options.owner && owner === undefined) {
    lose(
      `the database's owner "${like.owner}" does not exist here or cannot be assigned: "${facts.user}" will own it`,
      'create the role first, or restore as a superuser, if that matters',
    );
  }
  const tablespace = usableTablespace(like.settings?.tablespace, facts);
  if (tablespace === 'unusable') {
    lose(
      `tablespace "${like.settings?.tablespace ?? ''}" does not exist here or may not be used: the server's default is taken`,
      'create it first, or GRANT CREATE ON TABLESPACE, if that matters',
    );
  }
  const { encoding, collate, ctype, provider, locale, rules } = like;
  const create = {
    owner,
    tablespace: tablespace === 'unusable' ? undefined : tablespace,
    locale: {
      ...{ encoding, collate, ctype, provider, locale, rules },
      namesProvider: majorVersion(facts.version) >= 15,
    },
  };
  return { create, findings };
}

/** Decides what of a database as a whole can be carried over to a new one on this server. */
export function planCarryOver(options: CarryOverOptions): CarryOver {
  const { create, findings: lost } = planCreation(options);
  const findings = [...lost];
  const lose = loseInto(findings);
  const owner = create.owner ?? options.facts.user;
  return { create, statements: planStatements(options, owner, lose), findings };
}

/** What a dump sets for the database that it creates, where nothing else is known of it. */
export function planParameters(
  parameters: DatabaseSettings['parameters'],
  scratch: string,
  facts: ServerFacts,
): Pick<CarryOver, 'statements' | 'findings'> {
  const findings: Finding[] = [];
  const kept = keptParameters(parameters, facts, loseInto(findings));
  const statements = (waits: boolean) =>
    parameterStatements(
      scratch,
      kept.filter((parameter) => couldStopALoad(parameter) === waits),
    );
  return { statements: { before: statements(false), after: statements(true) }, findings };
}

function planStatements(
  options: CarryOverOptions,
  owner: string,
  lose: Lose,
): CarryOver['statements'] {
  const { like, scratch, facts, whileLoading } = options;
  const { settings } = like;
  if (settings === undefined) return { before: [], after: [] };
  const kept = keptParameters(settings.parameters, facts, lose);
  const loading = keptParameters(
    whileLoading ?? settings.parameters,
    facts,
    () => undefined,
  ).filter((parameter) => !couldStopALoad(parameter));
  const before = parameterStatements(scratch, loading);
  const wanted = parameterStatements(scratch, kept);
  const isMore = wanted.length === before.length + kept.filter(couldStopALoad).length;
  const after =
    isMore && before.every((statement) => wanted.includes(statement))
      ? wanted.filter((statement) => !before.includes(statement))
      : [...resetStatements(scratch, loading), ...wanted];
  return {
    before,
    after: [
      ...privilegeStatements(scratch, owner, keptPrivileges(settings, owner, options, lose)),
      ...limitStatements(scratch, settings),
      ...after,
      // An earlier version left its mark where there was no comment.
      ...(options.noteComment && settings.comment !== null && settings.comment !== marker
        ? [noteComment(scratch, settings.comment)]
        : []),
    ],
  };
}

type Lose = (message: string, hint: string) => void;

const loseInto =
  (findings: Finding[]): Lose =>
  (message, hint) =>
    findings.push({ severity: 'warning', message, hint });

function usableTablespace(
  name: string | undefined,
  { tablespaces }: ServerFacts,
): string | undefined {
  if (name === undefined || name === 'pg_default') return undefined;
  return tablespaces.some((other) => other.name === name && other.usable) ? name : 'unusable';
}

function keptPrivileges(
  { privileges }: DatabaseSettings,
  newOwner: string,
  { like, facts, privileges: wanted }: CarryOverOptions,
  lose: Lose,
): DatabaseSettings['privileges'] {
  if (privileges === null || !wanted) return null;
  // What the owner had, the owner has.
  const given = privileges.map((entry) =>
    entry.grantee === like.owner ? { ...entry, grantee: newOwner } : entry,
  );
  const missing = (role: string | null): role is string =>
    role !== null && !facts.roles.existing.has(role);
  const lost = given.map(({ grantee }) => grantee).filter(missing);
  if (lost.length > 0) {
    lose(
      `privileges on the database of roles that are not on this server are left out: ${distinct(lost)}`,
      'create these roles first if you need them',
    );
  }
  return given.filter(({ grantee }) => !missing(grantee));
}

function keptParameters(
  parameters: DatabaseSettings['parameters'],
  facts: ServerFacts,
  lose: Lose,
): DatabaseSettings['parameters'] {
  const allowed = ({ role, name }: DatabaseSettings['parameters'][number]) =>
    (role === null || facts.roles.alterable.has(role)) &&
    (facts.superuser || facts.userParameters.includes(name));
  const lost = parameters.filter((parameter) => !allowed(parameter));
  if (lost.length > 0) {
    const names = lost.map(({ role, name }) => (role === null ? name : `${name} of role ${role}`));
    lose(
      `settings of the database that "${facts.user}" may not make here are left out: ${distinct(names)}`,
      'restore as a superuser, or set them afterwards (ALTER DATABASE … SET)',
    );
  }
  return parameters.filter(allowed);
}

const distinct = (names: readonly string[]) => [...new Set(names)].sort().join(', ');
