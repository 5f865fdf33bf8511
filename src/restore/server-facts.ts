import { quoteLiteral } from '../base/sql.ts';
import { z } from 'zod';
import { SqlError } from '../postgres/sql-error.ts';
import { restoreFailure } from './failure.ts';
import type { KnownRoles } from '../base/known-roles.ts';
import {
  descriptionSchema,
  selectDescription,
  type DatabaseDescription,
} from '../postgres/databases.ts';
import { previousSchema, selectPrevious } from '../postgres/previous.ts';
import { selectScratchDatabases } from './scratch-mark.ts';
import { maintenanceOf, query, type Server } from '../postgres/psql.ts';
import { mayBeEnded } from '../postgres/sessions.ts';
import { databaseSize } from '../postgres/database-size.ts';

const sessionSchema = z.object({ pid: z.number(), user: z.string(), application: z.string() });

const roomSchema = z.object({
  /** The directory of the server's data, on the server's machine; null where we may not know. */
  dataDirectory: z.string().nullable(),
  /** Seconds since 1970: which server it is that has this data directory. */
  startedAt: z.number(),
});

const targetSchema = z.object({
  /** We may rename it. */
  owned: z.boolean(),
  /** Null where we may not know. */
  bytes: z.number().nullable(),
  /** A DROP DATABASE was interrupted: nobody can connect. */
  invalid: z.boolean(),
  isTemplate: z.boolean(),
  isClosed: z.boolean(),
  preparedTransactions: z.array(z.string()),
  replicationSlots: z.array(z.string()),
  subscriptions: z.array(z.string()),
  /** Who is connected. */
  clients: z.array(z.object({ user: z.string(), application: z.string(), sessions: z.number() })),
  /** Sessions that we may not end. */
  foreignSessions: z.array(sessionSchema),
});

const factsSchema = z.object({
  version: z.string(),
  superuser: z.boolean(),
  createsDatabases: z.boolean(),
  createsRoles: z.boolean(),
  /** It follows another server, and can only be read. */
  isStandby: z.boolean(),
  databases: z.array(z.string()),
  roles: z.array(
    z.object({
      name: z.string(),
      assignable: z.boolean(),
      alterable: z.boolean(),
      inherited: z.boolean(),
    }),
  ),
  /** Who is a member of which role. */
  memberships: z.array(z.object({ role: z.string(), member: z.string() })),
  tablespaces: z.array(z.object({ name: z.string(), usable: z.boolean() })),
  extensions: z.array(z.object({ name: z.string(), creatable: z.boolean() })),
  /** Parameters that every user may set. */
  userParameters: z.array(z.string()),
  room: roomSchema,
  /** How much of the log of changes the server keeps (`max_wal_size`). */
  maxWalBytes: z.number(),
  /** Scratch databases of restores that were killed; bytes are null where we may not know. */
  leftovers: z.array(z.object({ name: z.string(), bytes: z.number().nullable() })),
  /** One for the target, or none. */
  target: z.array(targetSchema),
  description: z.array(descriptionSchema),
  /** Databases that earlier restores, of whatever target, have left aside, oldest first. */
  previous: previousSchema,
});

type Answer = z.infer<typeof factsSchema>;

/** What a restore needs to know of a server before it begins. */
export interface ServerFacts extends Omit<Answer, 'roles' | 'target' | 'description'> {
  readonly user: string;
  readonly roles: KnownRoles & {
    /** Those whose settings we may change. */
    readonly alterable: ReadonlySet<string>;
    /** Those whose rights we have without asking. */
    readonly inherited: ReadonlySet<string>;
  };
  /** The target as it is now; undefined where there is none. */
  readonly target:
    (z.infer<typeof targetSchema> & { description: DatabaseDescription }) | undefined;
}

const liveRowsSchema = z.object({ table: z.string(), rows: z.number().nullable() });

/**
 * As SQL: a session that had loaded a table, or a part of it, told its rows only after another had analyzed it, as a
 * load does. So many rows more would have made it larger.
 */
const isCountedTwice = `(pg_stat_get_mod_since_analyze(c.oid) > reltuples / 100
              AND abs(pg_stat_get_live_tuples(c.oid) - pg_stat_get_mod_since_analyze(c.oid) - reltuples) <= reltuples / 100000
              AND pg_relation_size(c.oid) = relpages * current_setting('block_size')::bigint)`;

/**
 * About how many rows the tables of a database hold, as the server has counted them last; null where
 * it has not.
 * @throws SqlError; Failure `cannotConnect`.
 */
export async function estimateRows(server: Server, database: string) {
  return query(
    server,
    database,
    liveRowsSchema,
    `SELECT quote_ident(nspname) || '.' || quote_ident(relname) AS table,
            CASE WHEN ${isCountedTwice} THEN reltuples::bigint
                 WHEN coalesce(pg_stat_get_live_tuples(c.oid), 0) > 0 THEN pg_stat_get_live_tuples(c.oid)
                 WHEN reltuples > 0 THEN reltuples::bigint
                 WHEN pg_relation_size(c.oid) = 0 THEN 0 END AS rows
       FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
      WHERE relkind = 'r' AND relpersistence <> 't' AND nspname <> 'information_schema' AND nspname !~ '^pg_'`,
  );
}

/**
 * Looks at a server, and at a database on it, without changing anything.
 * @throws Failure `cannotConnect`; `restoreFailed` where the server does not tell.
 */
export async function surveyServer(server: Server, name: string): Promise<ServerFacts> {
  const [answer] = await query(server, maintenanceOf(server), factsSchema, selectFacts(name)).catch(
    (error: unknown) => {
      throw error instanceof SqlError ? restoreFailure(error) : error;
    },
  );
  if (answer === undefined) throw new Error('the server answered nothing');
  const { roles, target, description, ...facts } = answer;
  const [found, described] = [target[0], description[0]];
  const named = (wanted: (role: Answer['roles'][number]) => boolean) =>
    new Set(roles.filter(wanted).map((role) => role.name));
  return {
    ...facts,
    user: server.connection.user,
    roles: {
      existing: named(() => true),
      assignable: named(({ assignable }) => assignable),
      alterable: named(({ alterable }) => alterable),
      inherited: named(({ inherited }) => inherited),
      impersonable: named(({ name: role }) => facts.superuser || role === server.connection.user),
    },
    target: found && described && { ...found, description: described },
  };
}

const names = (select: string) =>
  `(SELECT coalesce(json_agg(name), '[]') FROM (${select}) AS n(name))`;
const rows = (select: string) =>
  `(SELECT coalesce(json_agg(to_json(r)), '[]') FROM (${select}) AS r)`;

/** Since 16, being a member is not enough. */
const byVersion = (since16: string, before: string) =>
  `CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN '${since16}' ELSE '${before}' END`;

const selectRoles = `
  SELECT r.rolname AS name,
    pg_has_role(current_user, r.oid, ${byVersion('SET', 'MEMBER')}) AS assignable,
    me.rolsuper OR r.oid = me.oid OR me.rolcreaterole AND NOT r.rolsuper
      AND (current_setting('server_version_num')::integer < 160000
           OR pg_has_role(current_user, r.oid, ${byVersion('MEMBER WITH ADMIN OPTION', 'MEMBER')})) AS alterable,
    pg_has_role(current_user, r.oid, 'USAGE') AS inherited
  FROM pg_roles AS r`;

const selectExtensions = `
  SELECT name, bool_or(me.rolsuper OR NOT superuser OR coalesce((to_jsonb(v)->>'trusted')::boolean, false)) AS creatable
    FROM pg_available_extension_versions AS v GROUP BY name`;

const selectForeignSessions = `
  SELECT client.pid, coalesce(client.usename, 'the server') AS user,
         coalesce(client.application_name, '') AS application
    FROM pg_stat_activity AS client JOIN pg_roles AS role ON role.oid = client.usesysid
   WHERE client.datid = d.oid AND NOT ${mayBeEnded}`;

const selectClients = `
  SELECT coalesce(client.usename, 'the server') AS user, coalesce(client.application_name, '') AS application,
         count(*) AS sessions
    FROM pg_stat_activity AS client
   WHERE client.datid = d.oid AND client.backend_type = 'client backend' AND pid <> pg_backend_pid() GROUP BY 1, 2`;

const selectTarget = (name: string) => `
  SELECT pg_has_role(d.datdba, 'USAGE') AS owned,
    ${databaseSize} AS bytes,
    d.datconnlimit = -2 AS invalid, d.datistemplate AS "isTemplate", NOT d.datallowconn AS "isClosed",
    ${names('SELECT gid FROM pg_prepared_xacts WHERE database = d.datname')} AS "preparedTransactions",
    ${names('SELECT slot_name FROM pg_replication_slots WHERE database = d.datname')} AS "replicationSlots",
    ${names('SELECT subname FROM pg_subscription WHERE subdbid = d.oid')} AS subscriptions,
    ${rows(selectForeignSessions)} AS "foreignSessions",
    ${rows(selectClients)} AS clients
  FROM pg_database AS d WHERE d.datname = ${quoteLiteral(name)}`;

const selectFacts = (target: string) => `
  SELECT current_setting('server_version') AS version,
    me.rolsuper AS superuser, me.rolsuper OR me.rolcreatedb AS "createsDatabases",
    me.rolsuper OR me.rolcreaterole AS "createsRoles",
    pg_is_in_recovery() AS "isStandby",
    ${names('SELECT datname FROM pg_database')} AS databases,
    ${rows(selectRoles)} AS roles,
    ${rows('SELECT r.rolname AS role, m.rolname AS member FROM pg_auth_members AS a JOIN pg_roles AS r ON r.oid = a.roleid JOIN pg_roles AS m ON m.oid = a.member')} AS memberships,
    ${rows("SELECT spcname AS name, has_tablespace_privilege(oid, 'CREATE') AS usable FROM pg_tablespace")} AS tablespaces,
    ${rows(selectExtensions)} AS extensions,
    ${names("SELECT name FROM pg_settings WHERE context IN ('user', 'backend')")} AS "userParameters",
    json_build_object(
      'dataDirectory', (SELECT setting FROM pg_settings WHERE name = 'data_directory'),
      'startedAt', floor(extract(epoch FROM pg_postmaster_start_time()))) AS room,
    (SELECT setting::float8 * 1024 * 1024 FROM pg_settings WHERE name = 'max_wal_size') AS "maxWalBytes",
    ${rows(selectScratchDatabases)} AS leftovers,
    ${rows(selectTarget(target))} AS target,
    ${rows(selectDescription(target))} AS description,
    ${rows(selectPrevious)} AS previous
  FROM pg_roles AS me WHERE me.rolname = current_user`;
