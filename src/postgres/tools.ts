import { readdir, realpath } from 'node:fs/promises';
import { basename, delimiter, join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { majorVersion } from '../base/major-version.ts';
import { collect } from '../base/subprocess.ts';
import { commandLabel } from '../config/command-label.ts';
import { programAt, type Prefix } from './prefix.ts';
import { startTool, type Tool } from './start-tool.ts';

export interface ToolSearch {
  /** PG_BIN_DIR: where it is set, nothing else is searched. */
  readonly binDir: string | undefined;
  /** The only major version that will do. */
  readonly major?: number;
  readonly environment: Readonly<Record<string, string>>;
  /** The programs are at the other end of this command, and nowhere else. */
  readonly prefix?: Prefix | undefined;
  readonly signal: AbortSignal;
}

/**
 * What Debian puts on PATH: a Perl script that chooses among the programs in the usual places, as we
 * do, and takes longer than most of what they are asked.
 */
const debianWrapper = 'pg_wrapper';

/** What it chooses among. */
const debianPlace = '/usr/lib/postgresql/*/bin';

/** Where packages put programs that are not on PATH; `*` is a version. */
const usualPlaces = [
  debianPlace,
  '/usr/pgsql-*/bin',
  '/opt/homebrew/opt/*/bin',
  '/usr/local/opt/*/bin',
  '/Library/PostgreSQL/*/bin',
  '/Applications/Postgres.app/Contents/Versions/*/bin',
];

/**
 * Finds a PostgreSQL program: in PG_BIN_DIR, else the newest one on PATH and in the usual places; or behind
 * POSTGRES_EXEC.
 * @throws Failure `toolMissing` with the package to install; `cannotConnect`, `usage` where POSTGRES_EXEC
 *   leads nowhere.
 */
export async function findTool(name: string, search: ToolSearch): Promise<Tool> {
  if (search.prefix !== undefined) return findBehind(name, search.prefix, search);
  const directories =
    search.binDir === undefined ? await searchPath(search) : await placesFor(search.binDir, name);
  const paths = new Map<string, string>();
  for (const directory of directories) {
    const path = join(directory, name);
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined || basename(real) === debianWrapper) continue;
    if (!paths.has(real)) paths.set(real, path);
  }
  const found = await Promise.all([...paths.values()].map((path) => inspect(path, search)));
  const tools = found
    .filter((tool) => tool !== undefined)
    .filter(({ version }) => majorVersion(version) === (search.major ?? majorVersion(version)));
  const newest = tools.reduce<Tool | undefined>(
    (best, tool) => (best && compareVersions(best.version, tool.version) >= 0 ? best : tool),
    undefined,
  );
  if (newest !== undefined) return newest;
  if (search.binDir !== undefined) {
    throw new Failure('toolMissing', `no usable ${name} in ${search.binDir} (PG_BIN_DIR)`, {
      hint: 'set PG_BIN_DIR to the directory that holds pg_dump and psql; without it, PATH and the usual places are searched',
    });
  }
  if (search.major !== undefined) {
    throw new Failure('toolMissing', `${name} of PostgreSQL ${search.major} not found`, {
      hint: `install the server's programs: \`sudo apt-get install postgresql-${search.major}\` (Debian, Ubuntu), \`brew install postgresql@${search.major}\` (macOS)`,
    });
  }
  throw new Failure(
    'toolMissing',
    `${name} not found on PATH or where PostgreSQL is usually installed`,
    {
      hint: 'install the client: `sudo apt-get install postgresql-client` (Debian, Ubuntu), `brew install libpq` (macOS); or set PG_BIN_DIR to where it is',
    },
  );
}

async function findBehind(name: string, prefix: Prefix, search: ToolSearch): Promise<Tool> {
  const tool = await inspect(programAt(prefix, name), search);
  if (tool !== undefined) return tool;
  throw new Failure('toolMissing', `no usable ${name} behind \`${commandLabel(prefix.words)}\``, {
    hint: 'POSTGRES_EXEC must lead to where PostgreSQL is installed (the container of the database); PG_BIN_DIR names the directory of its programs there, if they are not on PATH',
  });
}

/** Positive if `a` is newer. */
function compareVersions(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map((part) => Number.parseInt(part, 10));
  const [majorB = 0, minorB = 0] = b.split('.').map((part) => Number.parseInt(part, 10));
  return majorA - majorB || minorA - minorB;
}

/** PG_BIN_DIR; where Debian's wrapper is there, what that would choose among. */
async function placesFor(binDir: string, name: string): Promise<string[]> {
  const real = await realpath(join(binDir, name)).catch(() => '');
  return basename(real) === debianWrapper ? expand(debianPlace) : [binDir];
}

async function searchPath({ environment }: ToolSearch): Promise<string[]> {
  const directories = (environment.PATH ?? '').split(delimiter).filter(Boolean);
  for (const place of usualPlaces) directories.push(...(await expand(place)));
  return directories;
}

async function expand(place: string): Promise<string[]> {
  const parts = place.split('/');
  const star = parts.findIndex((part) => part.includes('*'));
  const parent = parts.slice(0, star).join('/');
  const [prefix = ''] = parts[star]?.split('*') ?? [];
  const names = await readdir(parent).catch(() => []);
  return names
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(parent, name, ...parts.slice(star + 1)));
}

/** What a program says that it is; undefined where it does not run, or is not PostgreSQL's. */
async function inspect(path: string, search: ToolSearch): Promise<Tool | undefined> {
  const { prefix, environment: env, signal } = search;
  const call = { args: ['--version'], env, readsInput: false };
  const { exitCode, stdout, way } = await collect(startTool({ path, prefix }, call, signal));
  if (way !== undefined) throw way;
  const version = /\(PostgreSQL\) (\S.*)/.exec(stdout)?.[1]?.trim();
  return exitCode === 0 && version !== undefined ? { path, version, prefix } : undefined;
}
