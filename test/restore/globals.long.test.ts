import { readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findTool } from '../../src/postgres/tools.ts';
import { parseGlobals } from '../../src/dump/globals.ts';
import { backedUp } from '../support/backed-up.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { ordinaryUser, temporaryRole } from '../support/roles.ts';
import { sql } from '../support/server.ts';

const search = {
  binDir: undefined,
  environment: { PATH: process.env.PATH ?? '' },
  signal: new AbortController().signal,
};

const stored = { BACKUP_GLOBALS: 'true' };

async function withRoles(as = "LOGIN PASSWORD 'se''cret' CONNECTION LIMIT 7") {
  const [owner, reader] = [await temporaryRole(), await temporaryRole(as)];
  await sql(
    'postgres',
    `GRANT "${owner}" TO "${reader}"; ALTER ROLE "${reader}" SET search_path TO a, b; COMMENT ON ROLE "${reader}" IS 'who; reads';`,
  );
  const made = await backedUp(
    `CREATE TABLE t AS SELECT 1 AS a; ALTER TABLE t OWNER TO "${owner}"; GRANT SELECT ON t TO "${reader}";
     ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t TO "${reader}" USING (true);`,
  );
  const { stdout } = await made.run(['backup', '--json'], { env: stored });
  const { backup } = JSON.parse(stdout) as { backup: string };
  const path = join(made.directory, backup.replace('.sql.gz', '.globals.sql'));
  return { ...made, owner, reader, backup, globalsPath: path };
}

const describeRole = (role: string) =>
  sql(
    'postgres',
    `SELECT rolcanlogin, rolconnlimit, (SELECT setconfig FROM pg_db_role_setting WHERE setrole = r.oid AND setdatabase = 0), shobj_description(oid, 'pg_authid'), left(rolpassword, 5),
            (SELECT string_agg(roleid::regrole::text, ',') FROM pg_auth_members WHERE member = r.oid)
       FROM pg_authid AS r WHERE rolname = '${role}';`,
  );

async function dropRoles(database: string, ...roles: string[]) {
  await sql('postgres', `DROP DATABASE ${database} WITH (FORCE);`);
  for (const role of roles) await sql('postgres', `DROP ROLE "${role}";`);
}

describe('BACKUP_GLOBALS=true', () => {
  test('stores the roles beside each backup, for their owner alone; they go with it', async () => {
    const { run, globalsPath, reader } = await withRoles();
    expect((await stat(globalsPath)).mode & 0o777).toBe(0o600);
    expect(await readFile(globalsPath, 'utf8')).toContain(`CREATE ROLE "${reader}";`);
    expect(await readFile(globalsPath, 'utf8')).toContain('SCRAM-SHA-256');

    const listed = await run(['list']);
    expect(listed.stderr).not.toContain('is not counted');
  });

  test('goes with its backup when that is removed', async () => {
    const { run, directory } = await backedUp();
    const env = { ...stored, RETENTION_DAYS: '1', RETENTION_KEEP_MIN: '1' };
    expect(await run(['backup'], { env })).toExitWith(0);
    const [name = ''] = (await readdir(directory)).filter((each) => each.endsWith('.globals.sql'));
    const stamp = name.slice(15, 30);
    for (const ending of ['.sql.gz', '.globals.sql', '.manifest.json']) {
      const from = join(directory, `pratiko_backup_${stamp}${ending}`);
      const to = join(directory, `pratiko_backup_20250101_000000${ending}`);
      await rename(from, to);
      if (ending !== '.manifest.json') continue;
      const manifest = await readFile(to, 'utf8');
      await writeFile(
        to,
        manifest.replace(/"createdAt": "[^"]*"/, '"createdAt": "2025-01-01T00:00:00.000Z"'),
      );
    }
    expect(await run(['backup'], { env: { ...env, BACKUP_GLOBALS: 'false' } })).toExitWith(0);
    expect((await readdir(directory)).filter((each) => each.includes('20250101'))).toEqual([]);
  });

  test('is without password hashes where the user may not read them, and says so', async () => {
    const { run, directory, database } = await backedUp();
    const { env } = await ordinaryUser(database);
    const { stderr, exitCode } = await run(['backup'], { env: { ...env, ...stored } });
    expect(stderr).toMatch(/WARN: pratiko_backup_\S+\.globals\.sql has no passwords of roles/);
    expect(exitCode).toBe(0);
    const [name = ''] = (await readdir(directory)).filter((each) => each.endsWith('.globals.sql'));
    expect(await readFile(join(directory, name), 'utf8')).not.toContain('PASSWORD');
  });

  test('that it cannot be done leaves a good backup, and ends with 3', async () => {
    const { run } = await backedUp();
    const tools = await temporaryDirectory();
    for (const tool of ['psql', 'pg_dump']) {
      await symlink((await findTool(tool, search)).path, join(tools, tool));
    }
    const missing = await run(['backup'], { env: { ...stored, PG_BIN_DIR: tools } });
    expect(missing.stderr).toMatch(
      /ERROR: the backup is safe, but the roles of the server are not stored beside it: no usable pg_dumpall/,
    );
    expect(missing).toExitWith(3);

    const script =
      '#!/bin/sh\n[ "$1" = --version ] && echo "pg_dumpall (PostgreSQL) 15.18" && exit\necho "CREATE ROLE a;"\n';
    await writeFile(join(tools, 'pg_dumpall'), script, { mode: 0o755 });
    const cut = await run(['backup'], { env: { ...stored, PG_BIN_DIR: tools } });
    expect(cut.stderr).toContain('pg_dumpall failed: it did not end');
    expect(cut).toExitWith(3);
  });
});

describe('restore --globals', () => {
  test('is offered where roles are missing, and makes them as they were', async () => {
    const { run, owner, reader, database } = await withRoles();
    const before = await describeRole(reader);
    await dropRoles(database, owner, reader);

    const plan = await run(['restore', '--dry-run']);
    expect(plan.stderr).toContain('add --globals');
    expect(plan).toExitWith(22); // its policy is for a role that is missing

    const dry = await run(['restore', '--dry-run', '--globals', '--json']);
    expect((JSON.parse(dry.stdout) as { plan: { roles: string[] } }).plan.roles).toEqual(
      expect.arrayContaining([owner, reader]),
    );
    expect(await describeRole(reader)).toBe('');

    const restored = await run(['restore', '--globals', '--yes']);
    expect(restored).toExitWith(0);
    expect(restored.stderr).toContain('created roles: ');
    expect(await describeRole(reader)).toBe(before);
    expect(
      await sql(database, `SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 't';`),
    ).toBe(owner);
    expect(restored.stderr + restored.stdout).not.toContain('SCRAM');
  });

  test('never alters a role that is there', async () => {
    const { run, reader, database } = await withRoles();
    await sql(
      'postgres',
      `ALTER ROLE "${reader}" CONNECTION LIMIT 3 PASSWORD NULL; ALTER ROLE "${reader}" RESET search_path;`,
    );
    const changed = await describeRole(reader);
    await dropRoles(database);
    expect(await run(['restore', '--globals', '--yes'])).toExitWith(0);
    expect(await describeRole(reader)).toBe(changed);
  });

  test('a user who may create none is told before, with who may', async () => {
    const { run, owner, reader, database } = await withRoles();
    await dropRoles(database, owner, reader);
    const name = await temporaryRole("LOGIN CREATEDB PASSWORD 'p'");
    const env = { POSTGRES_USER: name, POSTGRES_PASSWORD: 'p' };
    const args = ['restore', '--globals', '--yes', '--to', `${database}_new`];
    const refused = await run(args, { env });
    expect(refused.stderr).toContain(
      `policies of the dump are for roles that are not on this server: ${reader}`,
    );
    expect(refused.stderr).toContain(
      `"${name}" may not create them: let a superuser restore (add --username postgres)`,
    );
    expect(refused.stderr).toContain(`CREATE ROLE "${reader}";`);
    expect(refused.stderr).not.toContain('add --globals');
    expect(refused).toExitWith(22);
    const without = await run([...args, '--skip-refused'], { env });
    expect(without.stderr).toContain(`may do is left out: ${owner}`);
    expect(without.stderr).toContain(`stored memberships are not given: "${reader}" of "${owner}"`);
    expect(without).toExitWith(0);
  });

  test('what the server refuses is told without passwords, and does not stop the restore', async () => {
    const { run, owner, reader, database } = await withRoles("SUPERUSER PASSWORD 'se''cret'");
    await dropRoles(database, owner, reader);
    const name = await temporaryRole("LOGIN CREATEDB CREATEROLE PASSWORD 'p'");
    const env = { POSTGRES_USER: name, POSTGRES_PASSWORD: 'p' };
    const { stderr, exitCode } = await run(
      ['restore', '--globals', '--yes', '--skip-refused', '--to', `${database}_new`],
      { env },
    );
    expect(stderr).toContain(`the server refused a part of role "${reader}": `);
    expect(stderr).not.toContain('SCRAM');
    expect(exitCode).toBe(0);
  });

  test('without such a file is an error that says where one comes from', async () => {
    const { run } = await backedUp();
    const { stderr, exitCode } = await run(['restore', '--globals', '--yes']);
    expect(stderr).toContain('BACKUP_GLOBALS=true');
    expect(exitCode).toBe(10);
    expect(await run(['restore', '--globals', '--undo'])).toExitWith(2);
  });
});

test('what pg_dumpall writes is read: roles, their settings, memberships with options', () => {
  const { roles, memberships } = parseGlobals(`
CREATE ROLE "It's; me";
ALTER ROLE "It's; me" WITH NOSUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$4096:a;b';
COMMENT ON ROLE "It's; me" IS 'CREATE ROLE other;';
CREATE ROLE other;
ALTER ROLE other SET search_path TO 'a', 'b';
ALTER ROLE other IN DATABASE app SET work_mem TO '1GB';
GRANT other TO "It's; me" WITH ADMIN OPTION, INHERIT TRUE GRANTED BY postgres;
CREATE TABLESPACE fast OWNER other LOCATION '/fast';
`);
  expect([...roles.keys()]).toEqual(["It's; me", 'other']);
  expect(roles.get('other')).toHaveLength(2);
  expect(memberships).toEqual([
    {
      role: 'other',
      member: "It's; me",
      statement: `GRANT other TO "It's; me" WITH ADMIN OPTION, INHERIT TRUE;`,
    },
  ]);
});
