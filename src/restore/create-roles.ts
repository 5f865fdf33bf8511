import { quoteIdentifier } from '../base/sql.ts';

/** SQL to run, for roles that a server does not have: `CREATE ROLE "readers";`. */
export const createRoles = (roles: readonly string[]): string =>
  roles.map((role) => `CREATE ROLE ${quoteIdentifier(role)};`).join(' ');
