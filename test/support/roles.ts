import { randomBytes } from 'node:crypto';
import { sql } from './server.ts';

/** A role of a name nobody else has; it is gone when the server is. */
export async function temporaryRole(options = ''): Promise<string> {
  const name = `Role; ${randomBytes(4).toString('hex')}`;
  await sql('postgres', `CREATE ROLE "${name}" ${options};`);
  return name;
}

/** A user as hosted databases give them: no superuser, but owner of its database. */
export async function ordinaryUser(database: string) {
  const name = await temporaryRole("LOGIN CREATEDB PASSWORD 'p'");
  await sql('postgres', `ALTER DATABASE ${database} OWNER TO "${name}";`);
  await sql(
    database,
    `DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
       LOOP EXECUTE 'ALTER TABLE ' || t || ' OWNER TO "${name}"'; END LOOP; END $$;`,
  );
  return { name, env: { POSTGRES_USER: name, POSTGRES_PASSWORD: 'p' } };
}
