import { readFile, readlink } from 'node:fs/promises';

/** The boot and process namespace in which process ids mean something; undefined without /proc. */
export async function processNamespace(): Promise<string | undefined> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return `${boot.trim()} ${await readlink('/proc/self/ns/pid')}`;
  } catch {
    return undefined; // not Linux: liveness is then told by the heartbeat alone
  }
}

/** When a process was started, in ticks since the boot (proc(5), stat field 22); undefined if it has ended. */
export async function processStart(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? undefined : fields[18];
  } catch {
    return undefined; // there is no such process
  }
}
