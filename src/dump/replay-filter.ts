import type { DatabaseSettings } from '../base/database-traits.ts';
import { lineBreaksOf } from '../base/text.ts';
import { maxStatementBytes, type Token } from './token.ts';
import type { RoleFilter, Skipped } from './role-filter.ts';
import { DatabasePreamble } from './preamble.ts';
import { withoutComments } from './comments.ts';

/** A dump that would act on more than the database it is loaded into. */
export class UnsafeDump extends Error {
  override readonly name = 'UnsafeDump';
}

/** The psql commands that pg_dump writes; they restrict psql, which whoever loads the dump does. */
const restriction = /^\\(?:un)?restrict [A-Za-z0-9]+$/;

const actsOutside =
  /^\s*(?:CREATE|DROP|ALTER)\s+(?:DATABASE|TABLESPACE|ROLE|GROUP|USER(?!\s+MAPPING)|SYSTEM)(?![\w$])/i;

/** Catalogs of the whole server, and of what its databases are made of; tables of a user may be called pg_…, too. */
const catalogs = [
  ...['pg_aggregate', 'pg_am', 'pg_amop', 'pg_amproc', 'pg_attrdef', 'pg_attribute', 'pg_authid'],
  ...['pg_auth_members', 'pg_cast', 'pg_class', 'pg_collation', 'pg_constraint', 'pg_conversion'],
  ...['pg_database', 'pg_db_role_setting', 'pg_default_acl', 'pg_depend', 'pg_description'],
  ...['pg_enum', 'pg_event_trigger', 'pg_extension', 'pg_foreign_.*', 'pg_group', 'pg_index'],
  ...['pg_inherits', 'pg_init_privs', 'pg_language', 'pg_largeobject.*', 'pg_namespace'],
  ...['pg_opclass', 'pg_operator', 'pg_opfamily', 'pg_parameter_acl', 'pg_partitioned_table'],
  ...['pg_policy', 'pg_proc', 'pg_publication.*', 'pg_range', 'pg_replication.*', 'pg_rewrite'],
  ...['pg_roles', 'pg_seclabel', 'pg_sequence', 'pg_settings', 'pg_shadow', 'pg_shdepend'],
  ...['pg_shdescription', 'pg_shseclabel', 'pg_statistic.*', 'pg_subscription.*'],
  ...['pg_tablespace', 'pg_transform', 'pg_trigger', 'pg_ts_.*', 'pg_type', 'pg_user.*'],
];

/** Privileges of roles, what roles own anywhere, and the catalogs. */
const actsOnRoles = /^\s*(?:(?:GRANT|REVOKE)\s(?!.*\sON\s)|(?:REASSIGN|DROP)\s+OWNED\s)/is;
const changesCatalogs = new RegExp(
  String.raw`^\s*(?:UPDATE|DELETE\s+FROM|INSERT\s+INTO)\s+(?:ONLY\s+)?(?:"?pg_catalog"?\s*\.|"?(?:${catalogs.join('|')})"?\s)`,
  'i',
);

/** COPY between a table and a file or program of the server; pg_dump writes only `FROM stdin`. */
const copiesElsewhere = /^\s*COPY(?![\w$])/i;

/** A statement too long to be looked at whole, of which not even the first two words are seen. */
const unrecognizable = /^\s*\S*\s*$/;

/** How strings are read: other than the way pg_dump writes it, psql could see something else than we. */
const changesStrings =
  /^\s*(?:SET\s+(?:SESSION\s+|LOCAL\s+)?standard_conforming_strings\b(?! = (?:on|off);$)|SELECT\s.*set_config\s*\(\s*'standard_conforming_strings')/is;

const unsafe = [changesStrings, actsOutside, actsOnRoles, changesCatalogs, copiesElsewhere];

/** What pg_dump sets of which not every server knows: from which version on, or up to which. */
const parameters: Readonly<Record<string, { readonly from?: number; readonly until?: number }>> = {
  transaction_timeout: { from: 17 },
  default_toast_compression: { from: 14 },
  default_with_oids: { until: 11 },
};
const setsParameter = /^SET (\w+) = [^;]*;$/;

/** Calls that only set statistics, which are collected anyway: the servers that know them. */
const statistics = /^SELECT \* FROM pg_catalog\.pg_restore_(?:relation|attribute|extended)_stats\(/;
const statisticsSince = 18;

export interface ReplayOptions {
  readonly ownership: RoleFilter;
  readonly serverMajor: number;
  /** Whether who loads the dump is one. */
  readonly superuser: boolean;
  /** Is told what was left out because it reaches outside; without it, that is an error. */
  readonly onUnsafe?: (message: string) => void;
}

/**
 * Turns the tokens of a dump into what psql is given: without what cannot be replayed on this
 * server or is not needed in a new database. It keeps accidents away from other databases (a dump of
 * all databases); what keeps a hostile dump from the shell is that psql runs restricted.
 */
export class ReplayFilter {
  readonly #options: ReplayOptions;
  readonly #preamble: DatabasePreamble;
  /** The parts of a statement that is not decided yet. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#preamble = new DatabasePreamble(options.superuser, options.serverMajor);
  }

  /** @throws UnsafeDump at a psql command or statement that reaches outside the database. */
  *read(token: Token): Generator<Buffer> {
    switch (token.type) {
      case 'message':
        return;
      case 'meta':
        if (token.command !== undefined) this.#refuseCommand(token.command);
        yield lineBreaksOf(token.bytes);
        return;
      case 'sql':
        yield* this.#statement(token);
        return;
      default:
        yield token.bytes;
    }
  }

  *#statement({ bytes, statement }: Extract<Token, { type: 'sql' }>): Generator<Buffer> {
    const decided = this.#pendingBytes > maxStatementBytes;
    this.#pendingBytes += bytes.length;
    if (decided) {
      yield bytes;
    } else {
      this.#pending.push(bytes);
      if (statement === undefined && this.#pendingBytes <= maxStatementBytes) return;
      const text = statement?.text ?? withoutComments(Buffer.concat(this.#pending).toString());
      const isCopy = statement?.copyInto !== undefined;
      const isUnclear = statement === undefined && unrecognizable.test(text);
      if (isUnclear) this.#refuse('it contains a long statement that cannot be recognized');
      const isKept = !isUnclear && (isCopy || this.#keeps(text));
      const isTrap = statement?.endsForPsql === false;
      if (isKept) yield* isTrap ? readable(this.#pending, text) : this.#pending;
      else yield* this.#pending.map(lineBreaksOf);
      this.#pending = [];
    }
    if (decided && statement?.endsForPsql === false) {
      this.#refuse('it contains a long statement of which psql does not see the end');
    }
    if (statement !== undefined) this.#pendingBytes = 0;
  }

  /** What was left out because of its roles. */
  get skipped(): Skipped {
    return this.#options.ownership.skipped;
  }

  /** How many statements about the database as a whole (`pg_dump --create`) were left out. */
  get leftOut(): number {
    return this.#preamble.leftOut;
  }

  /** What the dump sets for the database that it creates. */
  get parameters(): DatabaseSettings['parameters'] {
    return this.#preamble.parameters;
  }

  #refuseCommand(command: string): void {
    if (restriction.test(command) || this.#preamble.connects(command)) return;
    const backslash = command.indexOf('\\');
    this.#refuse(`it contains the psql command ${command.slice(backslash).slice(0, 60)}`);
  }

  /** Always false: it is not kept. */
  #refuse(message: string): boolean {
    if (this.#options.onUnsafe === undefined) throw new UnsafeDump(message);
    this.#options.onUnsafe(message);
    return false;
  }

  #keeps(statement: string): boolean {
    if (this.#preamble.takes(statement)) return false;
    if (unsafe.some((pattern) => pattern.test(statement))) {
      return this.#refuse(`it contains ${statement.trim().slice(0, 60)}`);
    }
    if (!isKnown(statement, this.#options.serverMajor)) return false;
    return this.#options.ownership.keeps(statement);
  }
}

/** Whether a server of this version knows what is set; what nobody needs to set is left out. */
function isKnown(statement: string, major: number): boolean {
  if (statistics.test(statement)) return major >= statisticsSince;
  const { from = 0, until = Infinity } = parameters[setsParameter.exec(statement)?.[1] ?? ''] ?? {};
  return major >= from && major <= until;
}

/** What psql does not see the end of, it sees inside a string. */
function readable(statement: readonly Buffer[], text: string): Buffer[] {
  let tag = 'routine';
  while (text.includes(tag)) tag += '_';
  const [outer, inner] = [`$${tag}_outer$`, `$${tag}$`];
  return [
    Buffer.from(`DO ${outer} BEGIN EXECUTE ${inner}`),
    ...statement,
    Buffer.from(`${inner}; END ${outer};`),
  ];
}
