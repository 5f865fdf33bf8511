import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { temporaryDirectory } from './cli.ts';

/**
 * A stand-in for `docker`: what it runs is no child of who called it, but in a process group and with an
 * environment of its own, and lives on when the client is killed: its input ends, no more. Behind it are a
 * psql and a server that only it knows. It notes how it was called.
 */
const client = `#!${process.execPath}
const { appendFileSync } = require('node:fs');
const { spawn } = require('node:child_process');
const words = process.argv.slice(2);
appendFileSync(__dirname + '/calls', JSON.stringify(words) + '\\n');
const [file, ...args] = words.slice(words.indexOf('db') + 1);
const inside = JSON.parse(process.env.DOCKER_INSIDE ?? '{}');
const settings = JSON.parse(require('node:fs').readFileSync(__dirname + '/container.json', 'utf8'));
const command = settings.HOLDS ? [process.execPath, __dirname + '/relay', file, ...args] : [file, ...args];
const program = spawn(command[0], command.slice(1), { detached: true, env: { ...settings, ...inside } });
process.stdin.pipe(program.stdin);
program.stdin.on('error', () => undefined);
program.stdout.pipe(process.stdout);
program.stderr.pipe(process.stderr);
program.on('close', (code) => { process.exitCode = code ?? 137; process.stdin.destroy(); });
`;

/**
 * What lies between: it holds back what is given to a program from a text on, and gives it on later, also when the
 * client is dead by then. It notes whose text it holds, and that its program has ended.
 */
const relay = `
const { writeFileSync } = require('node:fs');
const { spawn } = require('node:child_process');
const [file, ...args] = process.argv.slice(2);
const program = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
let given = Promise.resolve();
process.stdin.on('data', (chunk) => {
  if (chunk.includes(process.env.HOLDS)) {
    writeFileSync(__dirname + '/held', process.ppid + ' ' + process.pid);
    given = given.then(() => new Promise((resolve) => setTimeout(resolve, 3000)));
  }
  given = given.then(() => program.stdin.write(chunk));
});
process.stdin.on('end', () => { given = given.then(() => program.stdin.end()); });
for (const stream of [program.stdin, process.stdout]) stream.on('error', () => undefined);
program.stdout.pipe(process.stdout);
program.on('close', (code) => {
  writeFileSync(__dirname + '/ended-' + process.pid, String(code));
  process.exitCode = code ?? 137;
  process.stdin.destroy();
});
`;

/** A container `db`, and a `docker` that leads into it. */
export interface Docker {
  readonly directory: string;
  /** For POSTGRES_EXEC. */
  readonly exec: string;
  /** Each call of it, as words. */
  readonly calls: () => Promise<string[][]>;
}

/** @param holds a text that takes its time on the way into the container. */
export async function docker(holds?: string): Promise<Docker> {
  const directory = await temporaryDirectory();
  const { host, port } = inject('connection');
  const container = {
    PATH: process.env.PATH ?? '',
    PGHOST: host,
    PGPORT: String(port),
    ...(holds !== undefined && { HOLDS: holds }),
  };
  await writeFile(join(directory, 'relay'), relay);
  await writeFile(join(directory, 'container.json'), JSON.stringify(container));
  await writeFile(join(directory, 'docker'), client, { mode: 0o755 });
  return {
    directory,
    exec: `${join(directory, 'docker')} compose exec -T db`,
    async calls() {
      const text = await readFile(join(directory, 'calls'), 'utf8');
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as string[]);
    },
  };
}

/** The settings of who has no PostgreSQL on this machine, and no host or port to name. */
export function throughDocker(
  env: Readonly<Record<string, string>>,
  exec: string,
): Record<string, string> {
  const { POSTGRES_HOST: _, POSTGRES_PORT: __, ...rest } = env;
  return { ...rest, PATH: '/nowhere', POSTGRES_EXEC: exec };
}
