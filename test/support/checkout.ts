import { chown, cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory, type Run, type RunOptions } from './cli.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A checkout of its own, with `.env`, built: what it schedules or writes touches nothing else. */
export async function checkout(env: Readonly<Record<string, string>>, uid?: number) {
  const directory = join(await temporaryDirectory(), 'pratiko backup 100%');
  await mkdir(join(directory, 'backups'), { recursive: true, mode: 0o755 });
  for (const name of ['bin', 'dist', 'package.json']) {
    await cp(join(root, name), join(directory, name), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
  const settings = Object.entries(env).map(([name, value]) => `${name}=${quoted(value)}\n`);
  await writeFile(join(directory, '.env'), settings.join(''), { mode: 0o600 });
  if (uid !== undefined) {
    await chown(join(directory, '..'), uid, uid);
    for (const name of ['.', ...(await readdir(directory))]) {
      if (name !== 'node_modules') await chown(join(directory, name), uid, uid);
    }
  }
  const script = join(directory, 'bin/pratiko-backup.js');
  const run = async (args: readonly string[], options: RunOptions = {}): Promise<Run> => {
    const ending = await execa(process.execPath, [script, ...args], {
      env: { PATH: process.env.PATH ?? '', ...options.env },
      extendEnv: false,
      reject: false,
      cwd: '/',
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    return { exitCode: ending.exitCode, stdout: ending.stdout, stderr: ending.stderr };
  };
  return { directory, script, run };
}

/** In quotes that it does not hold. */
const quoted = (value: string) => {
  const quote = ['`', "'", '"'].find((each) => !value.includes(each)) ?? '';
  return `${quote}${value}${quote}`;
};
