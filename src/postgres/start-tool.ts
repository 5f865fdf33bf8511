import { randomBytes } from 'node:crypto';
import { start, type Child } from '../base/subprocess.ts';
import { libpqVariables } from '../config/libpq-variables.ts';
import type { Prefix } from './prefix.ts';
import { RemoteProgram } from './remote-program.ts';

/** A PostgreSQL program, on this machine or behind a command. */
export interface Tool {
  readonly path: string;
  /** As it tells it: `15.18 (Debian 15.18-0+deb12u1)`. */
  readonly version: string;
  /** The command before it. */
  readonly prefix?: Prefix | undefined;
}

/** A call of a tool. */
export interface Call {
  readonly args: readonly string[];
  /** Its whole environment here; of it, what libpq reads crosses to the other end of a command. */
  readonly env: Readonly<Record<string, string>>;
  /** It is psql, which reads SQL; what reads nothing is ended when we are. */
  readonly readsInput: boolean;
}

/** Starts a tool: the one place that says how that is done. Aborting `signal` ends it. */
export function startTool(
  { path, prefix }: Omit<Tool, 'version'>,
  { args, env, readsInput }: Call,
  signal: AbortSignal,
): Child {
  const session = env.PGAPPNAME === undefined ? undefined : sessionName(env.PGAPPNAME);
  const named = session === undefined ? env : { ...env, PGAPPNAME: session };
  if (prefix === undefined) return start({ file: path, args, env: named }, signal);
  const crossing = Object.fromEntries(
    Object.entries(named).filter(([name]) => libpqVariables.has(name) || name === 'LC_ALL'),
  );
  const call = { program: path, args, env: crossing, readsInput };
  return new RemoteProgram(prefix, call, signal, session);
}

/** The server cuts names at 63 bytes, and writes what is not ASCII in its own way. */
const sessionName = (application: string) =>
  `${application.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 40)} ${randomBytes(6).toString('hex')}`;
