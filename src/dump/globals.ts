import { identifier, unquoteIdentifier } from '../base/sql.ts';
import { bytesOf } from '../base/text.ts';
import { DumpInspector } from './contents.ts';

/** The roles of a server, as pg_dumpall wrote them. */
export interface StoredRoles {
  /** The statements that make each role, by its name. */
  readonly roles: ReadonlyMap<string, readonly string[]>;
  readonly memberships: readonly Membership[];
}

export interface Membership {
  readonly role: string;
  readonly member: string;
  /** Without the role that granted it. */
  readonly statement: string;
}

const name = `(${identifier})`;
const ofRole = new RegExp(
  String.raw`^(?:CREATE ROLE ${name};|ALTER ROLE ${name} (?:WITH|SET) |COMMENT ON ROLE ${name} IS )`,
);
const grant = new RegExp(
  String.raw`^GRANT ${name} TO ${name}(?: WITH [A-Z, ]+)?(?: GRANTED BY ${name})?;$`,
);
const grantor = new RegExp(String.raw` GRANTED BY ${name};$`);

/**
 * Reads what pg_dumpall --globals-only has written; what is about databases or tablespaces is passed over, and
 * what is not one statement by itself.
 */
export function parseGlobals(sql: string): StoredRoles {
  const roles = new Map<string, string[]>();
  const memberships: Membership[] = [];
  for (const text of statementsIn(sql).filter(isOneByItself)) {
    const role = ofRole.exec(text)?.slice(1).find(Boolean);
    const [, granted, member] = grant.exec(text) ?? [];
    if (role !== undefined) {
      const known = unquoteIdentifier(role);
      roles.set(known, [...(roles.get(known) ?? []), text]);
    } else if (granted !== undefined && member !== undefined) {
      memberships.push({
        role: unquoteIdentifier(granted),
        member: unquoteIdentifier(member),
        statement: text.replace(grantor, ';'),
      });
    }
  }
  return { roles, memberships };
}

function statementsIn(sql: string): string[] {
  const inspector = new DumpInspector({ strict: false });
  return [...inspector.read(bytesOf(sql)), ...inspector.end()].flatMap((token) =>
    token.type === 'sql' ? (token.statement?.text ?? []) : token.type === 'meta' ? [''] : [],
  );
}

/** It is given to psql alone: what the file sets before must not decide where it ends. */
function isOneByItself(statement: string): boolean {
  const alone = statementsIn(statement);
  return alone.length === 1 && alone[0] === statement;
}
