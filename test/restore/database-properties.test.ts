import { expect, test } from 'vitest';
import { backedUp } from '../support/backed-up.ts';
import { ordinaryUser, temporaryRole } from '../support/roles.ts';
import { sql } from '../support/server.ts';

/** What belongs to a database as a whole, as the catalog has it. */
const describeIt = (database: string) =>
  sql(
    'postgres',
    `SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider,
            daticulocale, datconnlimit, datacl::text, shobj_description(d.oid, 'pg_database'),
            (SELECT array_agg(pg_get_userbyid(setrole) || setconfig::text ORDER BY setrole)
               FROM pg_db_role_setting WHERE setdatabase = d.oid)
       FROM pg_database AS d WHERE datname = '${database}';`,
  );

const settings = (database: string, role: string) => `
  ALTER DATABASE ${database} OWNER TO "${role}";
  ALTER DATABASE ${database} CONNECTION LIMIT 42;
  COMMENT ON DATABASE ${database} IS E'it''s a "comment" \\\\ \\n$$';
  REVOKE ALL ON DATABASE ${database} FROM PUBLIC;
  GRANT CONNECT ON DATABASE ${database} TO "${role}", pg_monitor WITH GRANT OPTION;
  ALTER DATABASE ${database} SET search_path = "$user", public, "odd, ""name""";
  ALTER DATABASE ${database} SET "app.tenant" = 'it''s = 1; \\';
  ALTER DATABASE ${database} SET default_transaction_read_only = on;
  ALTER ROLE "${role}" IN DATABASE ${database} SET work_mem = '7MB';
  ALTER ROLE "${role}" IN DATABASE ${database} SET session_preload_libraries = '';`;

test('what a dump does not hold comes from the live database, and after its loss from the manifest', async () => {
  const { database, run } = await backedUp();
  const role = await temporaryRole();
  await sql('postgres', settings(database, role));
  const before = await describeIt(database);
  expect(before).toContain('42');
  expect(await run(['backup', '--no-prune'])).toExitWith(0);

  expect(await run(['restore', '--yes', '--drop-old'])).toExitWith(0);
  expect(await describeIt(database)).toBe(before);

  await sql('postgres', `DROP DATABASE ${database};`);
  expect(await run(['restore', '--yes'])).toExitWith(0);
  expect(await describeIt(database)).toBe(before);
  await sql('postgres', `DROP DATABASE ${database};`);
});

test('a database without a comment comes back without one', async () => {
  const { database, run } = await backedUp();
  await sql('postgres', `DROP DATABASE ${database};`);
  expect(await run(['restore', '--yes'])).toExitWith(0);
  const comment = `SELECT shobj_description(oid, 'pg_database') IS NULL FROM pg_database WHERE datname = '${database}';`;
  expect(await sql('postgres', comment)).toBe('t');
});

test('what may not be carried over is said before anything is created', async () => {
  const { database, run } = await backedUp();
  const user = await ordinaryUser(database);
  const other = await temporaryRole();
  await sql(
    'postgres',
    `ALTER ROLE "${other}" IN DATABASE ${database} SET work_mem = '7MB';
     ALTER DATABASE ${database} SET session_preload_libraries = '';
     ALTER DATABASE ${database} SET work_mem = '8MB';`,
  );
  const planned = await run(['restore', '--dry-run'], { env: user.env });
  expect(planned.stderr).toContain(
    `settings of the database that "${user.name}" may not make here are left out: session_preload_libraries, work_mem of role ${other}`,
  );
  expect(planned.exitCode).toBe(0);
  const restored = await run(['restore', '--yes', '--drop-old'], { env: user.env });
  expect(restored.exitCode).toBe(0);
  expect(await describeIt(database)).toContain('{work_mem=8MB}');
  await sql('postgres', `DROP DATABASE ${database};`);
});

test('a locale of ICU comes back', async () => {
  const { database, run } = await backedUp();
  await sql('postgres', `DROP DATABASE ${database};`);
  await sql(
    'postgres',
    `CREATE DATABASE ${database} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-DE-u-co-phonebk';`,
  );
  await sql(database, 'CREATE TABLE t AS SELECT 1 AS a;');
  const before = await describeIt(database);
  expect(before).toContain('de-DE-u-co-phonebk');
  expect(await run(['backup'])).toExitWith(0);
  await sql('postgres', `DROP DATABASE ${database};`);
  expect(await run(['restore', '--yes'])).toExitWith(0);
  expect(await describeIt(database)).toBe(before);
});
