import { Failure } from '../errors.ts';
import type { DatabaseTraits } from '../database-traits.ts';
import type { KnownRoles } from '../known-roles.ts';
import { createDatabase, dropDatabase } from './databases.ts';
import { SqlError, type Server } from './psql.ts';

export interface ScratchOptions {
  readonly name: string;
  /** What it should be like; undefined: like any new database of the server. */
  readonly traits: DatabaseTraits | undefined;
  readonly roles: KnownRoles;
  /** False: it belongs to who restores. */
  readonly withOwner: boolean;
  /** Its locale may be another one, rather than no database at all. */
  readonly anyLocale: boolean;
  /** Told what could not be as it should be. */
  readonly onWarning: (message: string) => void;
}

const dropTimeoutMs = 30_000;

/**
 * Creates the database into which a dump is loaded before it is known to be good.
 * @throws Failure `restoreFailed`; nothing is left on the server then.
 */
export async function createScratch(server: Server, options: ScratchOptions): Promise<void> {
  const { name, traits, onWarning } = options;
  const wanted = traits && { ...traits, owner: ownerFor(traits, options) };
  try {
    await createDatabase(server, name, wanted);
  } catch (error) {
    if (!(error instanceof SqlError)) {
      await dropScratch(server, name).catch(() => undefined); // whether it exists is not known
      throw error;
    }
    if (!(options.anyLocale && /locale/i.test(error.message))) throw refused(server, error);
    onWarning(`this server does not have the database's locale, its own is used: ${error.message}`);
    await createDatabase(server, name, undefined).catch((second: unknown) => {
      throw second instanceof SqlError ? refused(server, second) : second;
    });
  }
}

/** Drops it, also after an interruption, and for at most half a minute. */
export async function dropScratch(server: Server, name: string): Promise<void> {
  await dropDatabase({ ...server, signal: AbortSignal.timeout(dropTimeoutMs) }, name);
}

function ownerFor(
  { owner }: DatabaseTraits,
  { withOwner, roles, onWarning }: ScratchOptions,
): string | undefined {
  if (!withOwner) return undefined;
  if (roles.assignable.has(owner)) return owner;
  onWarning(`the database's owner "${owner}" does not exist here or cannot be assigned`);
  return undefined;
}

function refused(server: Server, error: SqlError): Failure {
  return new Failure('restoreFailed', `cannot create the scratch database: ${error.message}`, {
    hint:
      error.code === '42501'
        ? `let user "${server.connection.user}" create databases (as a superuser: ALTER ROLE … CREATEDB)`
        : 'the live database was not touched',
    cause: error,
  });
}
