import { statementAt, type FoundStatement } from '../archive/statement-at.ts';
import type { DumpHeader } from '../archive/header.ts';
import { firstLineOf } from '../dump/statement.ts';
import { printed } from '../base/format.ts';
import { orDamage } from './damage.ts';
import { RefusedDump } from './load/failure.ts';
import { readAccess, type Context } from '../context.ts';
import type { SqlError } from '../postgres/sql-error.ts';
import type { ServerFacts } from './server-facts.ts';
import { majorVersion } from '../base/major-version.ts';
import type { RestorePlan } from './plan.ts';

interface Attempt {
  readonly plan: Pick<RestorePlan, 'file'>;
  readonly another: string;
  readonly head: Pick<DumpHeader, 'serverVersion'>;
  readonly facts: Pick<ServerFacts, 'version' | 'roles'>;
}

/** SQLSTATE of names that mean nothing: a column, a function, an object of another kind, a table, a schema. */
const unknownName = new Set(['42703', '42883', '42704', '42P01', '3F000']);
const syntaxError = '42601';
/** A foreign key that leads nowhere; a view over one that was never filled. */
const missingContents = new Set(['23503', '55000']);
const unknownTable = '42P01';

/** How to get the rest: rows of a table that is there are never left out. */
const goOn = (text: string) =>
  /^COPY\b/.test(text) ? '' : '; `restore --skip-refused` restores everything else';

/** An error with the statement that the server refused, which is looked up in the file, and with what to do about it. */
export async function explainRefusal(
  error: unknown,
  attempt: Attempt,
  context: Context,
): Promise<unknown> {
  const access = readAccess(context);
  if (!(error instanceof RefusedDump)) {
    return orDamage(error, attempt.plan.file, attempt.another, access);
  }
  const refused = await statementAt(attempt.plan.file, error.cause.line, access).catch(
    () => undefined,
  );
  if (refused === undefined) return error;
  const what = refused.object === undefined ? '' : `${refused.object}: `;
  return new RefusedDump(
    'restoreFailed',
    `${error.message} (${what}${firstLineOf(refused.text)})`,
    {
      hint: cureFor(error.cause, refused, attempt) ?? error.hint,
      cause: error.cause,
    },
  );
}

function cureFor(
  error: SqlError,
  statement: FoundStatement,
  { plan, head, facts }: Attempt,
): string | undefined {
  const { text } = statement;
  if (plan.file.manifest?.leftOut !== undefined && missingContents.has(error.code)) {
    return `rows were left out of this backup (BACKUP_EXCLUDE_TABLE_DATA) that others need${goOn(text)}; leave out both or none of them`;
  }
  const { serverVersion } = head;
  const isNewer =
    serverVersion !== undefined && majorVersion(serverVersion) > majorVersion(facts.version);
  if (isNewer && (error.code === syntaxError || unknownName.has(error.code))) {
    return `the dump is of PostgreSQL ${serverVersion}, this server is ${facts.version}: restore into a server of version ${majorVersion(serverVersion)} or later${goOn(text)}`;
  }
  if (!unknownName.has(error.code)) return undefined;
  const culprit = functionIn(error);
  if (culprit !== undefined) {
    return error.code === unknownTable && isQualified(error.reason)
      ? `function ${culprit} needs a table that the dump creates only later, or not at all (pg_dump does not know what functions read): create it first, in a copy of the dump${goOn(text)}`
      : cureForSearchPath(culprit, text, plan.file.path);
  }
  return `the dump itself does not create it, and the database for it is new: a dump made with -n or -t has no extensions; put CREATE EXTENSION … on top of a copy of it, or dump the whole database${goOn(text)}`;
}

/** The function in which the server was, as its context tells it in any language. */
function functionIn({ more }: SqlError): string | undefined {
  const context = more.find((part) => /^context: (?!COPY )/.test(part));
  const [, signature, name] = /([\w$."]+\([^()]*\))|"([^"]+)"/.exec(context ?? '') ?? [];
  return signature ?? name;
}

/** A table that is not found is called with its schema, as the message quotes it in any language. */
const isQualified = (message: string) => /[^\s.]\.[^\s.]/.test(message);

/** A dump empties search_path: a function that relies on it finds nothing while it is loaded. */
function cureForSearchPath(culprit: string, text: string, path: string): string {
  const alter = `ALTER FUNCTION ${culprit} SET search_path = public`;
  const now = /^COPY\b/.test(text)
    ? `\`${printed(path)} | sed "s/'search_path', ''/'search_path', 'public'/" > with_path.sql; pratiko-backup restore ./with_path.sql\``
    : `\`restore --skip-refused\` leaves it out; then the same ALTER FUNCTION in the restored database, and run what was left out (the file .refused.sql; REFRESH MATERIALIZED VIEW)`;
  return `function ${culprit} relies on search_path, which is empty while a dump is loaded: ${alter} (or the schemas it needs) where it is backed up; this backup: ${now}`;
}
