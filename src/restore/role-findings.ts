import { formatNames } from '../base/format.ts';
import { createRoles } from './create-roles.ts';
import { blocker, warning, type Finding } from './finding.ts';
import { missingRoles } from './globals.ts';
import type { Situation } from './situation.ts';

/** So many names are told, at most. */
const named = 8;

/** Roles that the dump names, or that are stored beside it, and that will not be on this server. */
export function* roleFindings(situation: Situation): Generator<Finding> {
  const { head, facts, owners, privileges, skipRefused, stored, globals, createsRoles } = situation;
  const isStored = (role: string) => stored?.roles.has(role) ?? false;
  const isMissing = (role: string) =>
    !facts.roles.existing.has(role) && !(createsRoles && isStored(role));
  /** It ends with a semicolon. */
  const offer = (roles: readonly string[]) => {
    const create = createRoles(roles);
    if (!roles.some(isStored)) return `create them first: ${create}`;
    if (!facts.createsRoles) {
      const add = globals ? '--username postgres' : '--globals --username postgres';
      return `"${facts.user}" may not create them: let a superuser restore (add ${add}), or create them: ${create}`;
    }
    return globals
      ? `create them as a superuser: ${create}`
      : 'create them as they were stored beside the backup: add --globals;';
  };
  const inPolicies = head.policyRoles.filter(isMissing);
  if (inPolicies.length > 0) {
    const message = `row-security policies of the dump are for roles that are not on this server: ${inPolicies.join(', ')}`;
    const create = offer(inPolicies);
    yield skipRefused
      ? warning(`${message}; these policies are left out`, create)
      : blocker(
          message,
          `${create} or leave out these policies, which decide who sees which rows: \`restore --skip-refused\``,
        );
  }
  const missing = head.roles.filter((role) => isMissing(role) && !inPolicies.includes(role));
  if ((owners || privileges) && missing.length > 0) {
    yield warning(
      `roles of the dump are not on this server, and what they own or may do is left out: ${missing.join(', ')}`,
      offer(missing),
    );
  }
  if (!globals || createsRoles || stored === undefined) return;
  const told = new Set([...inPolicies, ...missing]);
  const { roles, memberships } = missingRoles(stored, facts);
  const others = [...roles.keys()].filter((role) => !told.has(role));
  if (others.length > 0) {
    yield warning(`stored roles are not created: ${formatNames(others, named)}`, offer(others));
  }
  if (memberships.length > 0) {
    const names = memberships.map(({ role, member }) => `"${member}" of "${role}"`);
    yield warning(
      `stored memberships are not given: ${formatNames(names, named)}`,
      'let a superuser restore, or give them (GRANT)',
    );
  }
}
