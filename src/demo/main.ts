import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Interrupted, messageOf, type StopSignal } from '../base/errors.ts';
import { startSandbox } from '../postgres/sandbox.ts';
import { tellStory } from './story.ts';

const interruption = new AbortController();
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] satisfies StopSignal[]) {
  process.once(signal, () => interruption.abort(new Interrupted(signal)));
}
process.stdout.on('error', () => undefined);

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const say = (text: string) => process.stdout.write(`${text}\n`);

try {
  await demo();
} catch (error) {
  const reason: unknown = interruption.signal.aborted ? interruption.signal.reason : error;
  process.stderr.write(`demo: ${messageOf(reason)}\n`);
  process.exitCode = reason instanceof Interrupted ? reason.exitCode : 1;
}

async function demo(): Promise<void> {
  const { signal } = interruption;
  const path = process.env.PATH ?? '';
  const directory = await mkdtemp(join(tmpdir(), 'pratiko_demo_'));
  try {
    say('Starting a PostgreSQL of our own, on a free port and in a temporary directory ...');
    await using sandbox = await startSandbox({
      tempDirectory: tmpdir(),
      path,
      uid: process.getuid?.() ?? 0,
      user: 'aifinance',
      password: randomBytes(12).toString('hex'),
      signal,
    });
    const backupDir = join(directory, 'backups');
    await mkdir(backupDir, { mode: 0o700 });
    const envFile = join(directory, 'demo.env');
    await writeFile(envFile, '');
    const { host, port, user, password } = sandbox.server.connection;
    await tellStory({
      server: sandbox.server,
      version: sandbox.version,
      say,
      tool: {
        file: process.execPath,
        args: [join(root, 'bin', 'pratiko-backup.js'), '--env-file', envFile],
        env: {
          PATH: path,
          POSTGRES_HOST: host,
          POSTGRES_PORT: String(port),
          POSTGRES_USER: user,
          POSTGRES_PASSWORD: password,
          POSTGRES_DB: 'aifinance',
          BACKUP_DIR: backupDir,
        },
      },
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  say('The server and the temporary files are gone again. Nothing of yours was touched.');
}
