import { execa } from 'execa';

/**
 * Reads which processes to watch (`+ PID`), each the first of its session, and which have ended (`- PID`).
 * When its input closes, it kills those that are left, with what they have started.
 */
export const watchdogScript = `trap '' INT TERM HUP
while read -r what pid; do
  case $what in
    +) set -- "$@" "$pid" ;;
    -) for each; do shift; [ "$each" = "$pid" ] || set -- "$@" "$each"; done ;;
  esac
done
for each; do kill -KILL "-$each"; done`;

/** A process of its own that kills our children if we die, also if we are killed. */
export class Watchdog {
  #process: ReturnType<typeof startWatching>;
  readonly #watched = new Set<number>();

  /** @returns false where there is no process for it: then nobody watches. */
  watch(pid: number): boolean {
    if (this.#process === undefined || !isRunning(this.#process)) {
      this.#process = startWatching();
      for (const each of this.#watched) this.#process?.stdin.write(`+ ${each}\n`);
    }
    if (this.#process === undefined) return false;
    this.#watched.add(pid);
    this.#process.stdin.write(`+ ${pid}\n`);
    return true;
  }

  /** It has ended: its number may soon be another one's. */
  release(pid: number): void {
    this.#watched.delete(pid);
    this.#process?.stdin.write(`- ${pid}\n`);
  }
}

/** @returns undefined where the system is short of processes or open files. */
function startWatching() {
  const child = execa('/bin/sh', ['-c', watchdogScript, 'sh'], {
    env: {},
    extendEnv: false,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    reject: false,
  });
  if (child.pid === undefined) return undefined;
  child.stdin.on('error', () => undefined); // it has ended: the next child gets another one
  // It is no reason to go on: it ends with us.
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  return child;
}

const isRunning = ({ exitCode, signalCode }: NonNullable<ReturnType<typeof startWatching>>) =>
  exitCode === null && signalCode === null;
