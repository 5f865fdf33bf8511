import { identifier, qualified, unquoteIdentifier } from '../base/sql.ts';
import type { KnownRoles } from '../base/known-roles.ts';

export interface RolePolicy {
  readonly roles: KnownRoles;
  /** False: `--no-owner`. */
  readonly owners: boolean;
  /** False: `--no-privileges`. */
  readonly privileges: boolean;
}

export interface Skipped {
  readonly statements: number;
  /** Sorted; none where everything was to be skipped. */
  readonly roles: readonly string[];
  /** The roles of them that are on the server, and to whom this user may give nothing. */
  readonly unassignable: readonly string[];
}

const name = `(${identifier})`;
const owner = new RegExp(String.raw`^ALTER\s.+\sOWNER TO ${name};$`, 's');
const grant = new RegExp(
  String.raw`^(?:GRANT|REVOKE)\s.+\s(?:TO|FROM) (?:GROUP )?${name}(?: WITH GRANT OPTION)?(?: CASCADE)?;$`,
  's',
);
const defaults = new RegExp(
  String.raw`^ALTER DEFAULT PRIVILEGES FOR ROLE ${name} .*(?:TO|FROM) ${name}(?: WITH GRANT OPTION)?;$`,
  's',
);
const actAs = new RegExp(String.raw`^SET SESSION AUTHORIZATION ('(?:[^']|'')+'|${identifier});$`);
const userMapping = new RegExp(
  String.raw`^(?:CREATE|ALTER) USER MAPPING (?:IF NOT EXISTS )?FOR ${name} `,
);
/** A policy with the list of its roles. */
const policy = new RegExp(
  String.raw`^CREATE POLICY ${identifier} ON ${qualified}(?: AS RESTRICTIVE)?(?: FOR \w+)? TO (${identifier}(?:, ${identifier})*)`,
);
const eachName = new RegExp(identifier, 'g');
const actAsSelf = 'RESET SESSION AUTHORIZATION;';

/**
 * Decides which statements of a dump can be replayed on a server: those that give objects or
 * privileges to a role that does not exist there are left out, everything else is kept. The forms
 * are those that pg_dump writes (dumputils.c).
 */
export class RoleFilter {
  readonly #policy: RolePolicy;
  #statements = 0;
  readonly #roles = new Set<string>();
  /** Between SET SESSION AUTHORIZATION for a role that we cannot be and its RESET. */
  #skipping = false;

  constructor(policy: RolePolicy) {
    this.#policy = policy;
  }

  get skipped(): Skipped {
    const roles = [...this.#roles].sort();
    const { existing } = this.#policy.roles;
    const unassignable = roles.filter((role) => existing.has(role));
    return { statements: this.#statements, roles, unassignable };
  }

  keeps(statement: string): boolean {
    if (this.#allows(statement)) return true;
    this.#statements += 1;
    return false;
  }

  #allows(statement: string): boolean {
    if (this.#skipping) {
      this.#skipping = statement !== actAsSelf;
      return false;
    }
    const { owners, privileges, roles } = this.#policy;
    const own = owner.exec(statement);
    if (own) return owners && this.#all(own, roles.assignable);
    const acting = actAs.exec(statement);
    if (acting) {
      this.#skipping = !(privileges && this.#all(acting, roles.impersonable));
      return !this.#skipping;
    }
    const standard = defaults.exec(statement);
    if (standard) {
      return (
        privileges &&
        this.#all(standard.slice(0, 2), roles.assignable) &&
        this.#all(standard.slice(1), roles.existing)
      );
    }
    const mapped = userMapping.exec(statement);
    if (mapped) return this.#all(mapped, roles.existing);
    const granted = grant.exec(statement);
    return !granted || (privileges && this.#all(granted, roles.existing));
  }

  /** True if every role of a match is among `roles`; notes those that are not. */
  #all(match: readonly string[], roles: ReadonlySet<string>): boolean {
    const missing = match
      .slice(1)
      .map(roleName)
      .filter((role) => !isEverybody(role) && !roles.has(role));
    for (const role of missing) this.#roles.add(role);
    return missing.length === 0;
  }
}

/** The roles to which a statement gives something, or for which it is. */
export function rolesIn(statement: string): string[] {
  const match = [owner, actAs, defaults, userMapping, grant]
    .map((pattern) => pattern.exec(statement))
    .find((found) => found !== null);
  if (!match) return policyRolesIn(statement);
  return match
    .slice(1)
    .map(roleName)
    .filter((role) => !isEverybody(role));
}

/** The roles of a row-security policy, which is never left out by itself: it decides who sees which rows. */
export function policyRolesIn(statement: string): string[] {
  return (policy.exec(statement)?.[2]?.match(eachName) ?? []).map(roleName);
}

/** Of user mappings, pg_dump writes it in small letters; no role can be called so. */
const isEverybody = (role: string) => role.toLowerCase() === 'public';

function roleName(identifier: string): string {
  if (identifier.startsWith("'")) return identifier.slice(1, -1).replaceAll("''", "'");
  return unquoteIdentifier(identifier);
}
