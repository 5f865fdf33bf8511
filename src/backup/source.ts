import type { Written } from '../archive/writer.ts';
import { SqlError } from '../postgres/sql-error.ts';
import { contact } from '../postgres/contact.ts';
import { describeDatabase, type DatabaseDescription } from '../postgres/databases.ts';
import { questionRefused } from '../postgres/dump-failure.ts';
import { requireNewEnough, type DumpSource } from '../postgres/pg-dump.ts';
import type { DumpContents } from '../dump/contents.ts';
import type { Manifest } from '../backup-directory/manifest.ts';
import type { BackupName } from '../backup-directory/names.ts';
import { describePlace } from '../config/place.ts';
import { configuredServer, type Context } from '../context.ts';
import { configuredTool } from '../postgres/tool-search.ts';

/** What is dumped, and what is known of it. */
export interface Source extends DumpSource {
  readonly serverVersion: string;
  readonly description: DatabaseDescription;
}

/**
 * Connects to the database to back up, after it was said which one that is.
 * @throws Failure `cannotConnect`, `toolMissing`; `dumpFailed` where the server does not tell about it.
 */
export async function openSource(context: Context): Promise<Source> {
  const { config, log } = context;
  const { database } = config.connection;
  log.info(`backing up ${describePlace(config)}`);
  const [configured, pgDump] = await Promise.all([
    configuredServer(context),
    configuredTool(context, 'pg_dump'),
  ]);
  const [{ server, version }, description] = await Promise.all([
    contact(configured, database),
    describeDatabase(configured, database, database),
  ]).catch((error: unknown) => {
    throw error instanceof SqlError ? questionRefused(error) : error;
  });
  requireNewEnough(pgDump, version);
  if (description === undefined) throw new Error(`database ${database} is not in pg_database`);
  log.debug(`server ${version}, ${pgDump.path} ${pgDump.version}`);
  const { lockWaitTimeoutSeconds, excludeTableData } = config;
  const how = { lockWaitTimeoutSeconds, excludeTableData, encoding: description.encoding };
  return { server, pgDump, ...how, serverVersion: version, description };
}

/** What a person says of a backup when it is made. */
export interface Mark {
  readonly label: string | undefined;
  /** Retention leaves it alone. */
  readonly keep: boolean;
}

/** What is noted beside a backup of what was found and written. */
export function newManifest(
  source: Source,
  { encryption, label, keep, ...written }: Written & Pick<BackupName, 'encryption'> & Mark,
  context: Context,
): Manifest {
  return {
    format: 1,
    createdAt: context.now().toISOString(),
    durationMs: Math.round(written.durationMs),
    database: { name: context.config.connection.database, ...source.description },
    dumpBytes: written.contents.bytes,
    fileBytes: written.fileBytes,
    sha256: written.sha256,
    ...(label !== undefined && { label }),
    ...(keep && { keep }),
    ...leftOutOf(written.contents, context),
    ...(encryption !== undefined && { encryption }),
    tables: [...written.contents.tables],
    roles: [...written.contents.roles],
    policyRoles: [...written.contents.policyRoles],
    extensions: [...written.contents.extensions],
    ...(written.contents.defect !== undefined && { notUnderstood: written.contents.defect }),
    serverVersion: source.serverVersion,
    pgDumpVersion: source.pgDump.version,
    toolVersion: context.version,
  };
}

/** What has no contents where some were to be left out; views that were never filled are among it, and empty as well. */
function leftOutOf({ withoutData }: DumpContents, { config }: Context): Pick<Manifest, 'leftOut'> {
  const { tables, sequences } = withoutData;
  if (config.excludeTableData.length === 0 || tables.length + sequences.length === 0) return {};
  return { leftOut: { tables: [...tables], sequences: [...sequences] } };
}
