import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { backedUp } from '../support/backed-up.ts';
import { startOwnServer, toolFor } from '../support/own-server.ts';
import { temporaryRole } from '../support/roles.ts';
import { sql } from '../support/server.ts';

test('a user without password, without login, or without the right to connect', async () => {
  const { database, run } = await backedUp();
  const none = await run(['backup'], { env: { POSTGRES_PASSWORD: '', HOME: '/nowhere' } });
  expect(none.stderr).toContain('the server does not accept the password of user "aifinance"');
  expect(none).toExitWith(13);

  const nobody = await temporaryRole("NOLOGIN PASSWORD 'p'");
  const noLogin = await run(['backup'], {
    env: { POSTGRES_USER: nobody, POSTGRES_PASSWORD: 'p' },
  });
  expect(noLogin.stderr).toContain(`there is no user "${nobody}" who may log in`);
  expect(noLogin).toExitWith(13);

  const guest = await temporaryRole("LOGIN PASSWORD 'p'");
  await sql('postgres', `REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC;`);
  const noRight = await run(['backup'], { env: { POSTGRES_USER: guest, POSTGRES_PASSWORD: 'p' } });
  expect(noRight.stderr).toContain(`user "${guest}" may not connect to database "${database}"`);
  expect(noRight.stderr).toContain(`GRANT CONNECT ON DATABASE "${database}" TO "${guest}"`);
  expect(noRight).toExitWith(13);
});

test('a host that no line of pg_hba.conf lets in', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'pratiko_hba_'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await chmod(directory, 0o755);
  const file = join(directory, 'pg_hba.conf');
  await writeFile(file, 'host postgres all all scram-sha-256\n', { mode: 0o644 });
  await using server = await startOwnServer({ hba_file: file });
  const run = await toolFor(server, { POSTGRES_DB: 'template1' });
  const { stderr, exitCode } = await run(['backup']);
  expect(stderr).toContain('no line of pg_hba.conf lets user "aifinance" in from here');
  expect(exitCode).toBe(13);
});
