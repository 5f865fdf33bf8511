import { quoteIdentifier, quoteLiteral } from '../base/sql.ts';
import { Failure, messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { isPlainText } from '../base/text.ts';
import { createDatabase, dropDatabase, type NewDatabase } from '../postgres/databases.ts';
import { applySettings } from '../postgres/database-settings.ts';
import { maintenanceOf, execute, within, type Server } from '../postgres/psql.ts';
import { SqlError } from '../postgres/sql-error.ts';
import { whenCreationHasEnded } from './abandoned-creation.ts';
import { marker } from './scratch-mark.ts';
import { untouched } from './failure.ts';
import { swapDatabases, type Swap } from './swap.ts';

export interface ScratchOptions {
  readonly name: string;
  /** What it should be like; undefined: like any new database of the server. */
  readonly create: NewDatabase | undefined;
  /** Its locale may be another one, rather than no database at all. */
  readonly anyLocale: boolean;
  /** Statements that give it the settings that decide what is loaded. */
  readonly settings: readonly string[];
}

const dropTimeoutMs = 30_000;

/**
 * The database into which a dump is loaded before it is known to be good. Its comment says what it is:
 * if this run is killed, the next one knows that it may be dropped. It is dropped at the end of its
 * block, also after an interruption, unless it is kept or swapped in.
 */
export class ScratchDatabase implements AsyncDisposable {
  readonly name: string;
  readonly #server: Server;
  readonly #log: Log;
  readonly #options: ScratchOptions;
  /** Nothing of it is to be dropped: it is gone, or it stays. */
  #isSettled = false;

  private constructor(server: Server, log: Log, options: ScratchOptions) {
    this.name = options.name;
    this.#server = server;
    this.#log = log;
    this.#options = options;
  }

  /** @throws Failure `restoreFailed`, SqlError; nothing is left on the server then. */
  static async create(server: Server, log: Log, options: ScratchOptions): Promise<ScratchDatabase> {
    const scratch = new ScratchDatabase(server, log, options);
    await scratch.#create();
    return scratch;
  }

  /** Begins again with an empty one. */
  async recreate(): Promise<void> {
    await dropScratch(this.#server, this.name);
    await this.#create();
  }

  /** Gives it settings; what the server refuses is warned of. */
  async apply(statements: readonly string[]): Promise<void> {
    const refusals = await applySettings(this.#server, this.name, statements);
    for (const { statement, reason } of refusals) {
      this.#log.warn(`the server refused "${statement}": ${reason}`);
    }
  }

  /** It is what it was made for, and stays. */
  async keep(comment: string): Promise<void> {
    await commentOn(this.#server, this.name, comment);
    this.#isSettled = true;
  }

  /** It gets the name of its target, see `swapDatabases`. */
  async swapIn(swap: Omit<Swap, 'scratch'>): Promise<void> {
    await swapDatabases(this.#server, { ...swap, scratch: this.name });
    this.#isSettled = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isSettled) return;
    this.#isSettled = true;
    try {
      await dropScratch(this.#server, this.name);
    } catch (error) {
      this.#log.warn(
        {
          hint: `the next restore tries again; by hand: DROP DATABASE ${quoteIdentifier(this.name)}`,
        },
        `the scratch database "${this.name}" is left: ${messageOf(error)}`,
      );
      return;
    }
    if (this.#server.signal.aborted) this.#log.warn(`the new database was dropped; ${untouched}`);
  }

  async #create(): Promise<void> {
    this.#isSettled = false;
    await createLike(this.#server, this.#options, (message) => this.#log.warn(message));
    try {
      await commentOn(this.#server, this.name, `${marker}\n`);
      await this.apply(this.#options.settings);
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }
}

/** Creates a database that is like another, as far as that is possible here. */
async function createLike(
  server: Server,
  { name, create, anyLocale }: ScratchOptions,
  onWarning: (message: string) => void,
): Promise<void> {
  const owner = create?.owner;
  // A role's name can be in the encoding of the database that it will own, and only there be given.
  const isLater = owner !== undefined && !isPlainText(owner);
  try {
    await createDatabase(server, name, { ...create, owner: isLater ? undefined : owner });
    if (isLater)
      await execute(
        server,
        name,
        `ALTER DATABASE ${quoteIdentifier(name)} OWNER TO ${quoteIdentifier(owner)};`,
      );
  } catch (error) {
    if (!(error instanceof SqlError)) {
      await dropAbandoned(server, name).catch(() => undefined); // whether it exists is not known
      throw error;
    }
    if (!(anyLocale && unknownLocale.includes(error.code))) throw refused(error);
    onWarning(`this server does not have the database's locale, its own is used: ${error.message}`);
    const { tablespace } = create ?? {};
    await createDatabase(server, name, { owner, tablespace }).catch((second: unknown) => {
      throw second instanceof SqlError ? refused(second) : second;
    });
  }
}

/** Drops what the server may just be creating. */
async function dropAbandoned(server: Server, name: string): Promise<void> {
  await whenCreationHasEnded(within(server, dropTimeoutMs), name);
  await dropScratch(server, name);
}

/** What servers answer to a locale, provider or encoding that they do not have or cannot put together. */
const unknownLocale = ['42809', '22023', '0A000', '42704', 'XX000'];

/** Drops it, also after an interruption, and for at most half a minute. */
export async function dropScratch(server: Server, name: string): Promise<void> {
  const limited = within(server, dropTimeoutMs);
  try {
    await dropDatabase(limited, name);
  } catch (error) {
    if (!(error instanceof SqlError && error.code === objectInUse)) throw error;
    await execute(limited, name, dropSubscriptions);
    await dropDatabase(limited, name);
  }
}

const objectInUse = '55006';

/** A dump can have made some, which keep their database from being dropped; none is connected. */
const dropSubscriptions = `DO $$ DECLARE sub name; BEGIN
  FOR sub IN SELECT subname FROM pg_subscription JOIN pg_database AS d ON d.oid = subdbid
              WHERE datname = current_database() LOOP
    EXECUTE format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', sub);
    EXECUTE format('DROP SUBSCRIPTION %I', sub);
  END LOOP; END $$;`;

async function commentOn(server: Server, database: string, comment: string): Promise<void> {
  const sql = `COMMENT ON DATABASE ${quoteIdentifier(database)} IS ${quoteLiteral(comment)};`;
  await execute(server, maintenanceOf(server), sql);
}

function refused(error: SqlError): Failure {
  return new Failure('restoreFailed', `cannot create the scratch database: ${error.message}`, {
    hint: '',
    cause: error,
  });
}
