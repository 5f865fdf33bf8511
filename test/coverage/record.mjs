// Writes down what a process has counted.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const name = `${process.pid}-${process.hrtime.bigint()}.json`;

/** Counters only: what they count is known from the source. */
export function record(directory) {
  const counters = Object.entries(globalThis.__coverage__ ?? {}).map(([path, { s, b, f }]) => [
    path,
    { s, b, f },
  ]);
  writeFileSync(join(directory, name), JSON.stringify(Object.fromEntries(counters)));
}

/** A signal that a process sends to itself is an end, too. */
export function recordAtEnd(directory) {
  process.on('exit', () => record(directory));
  const kill = process.kill.bind(process);
  process.kill = (pid, signal) => {
    if (pid === process.pid) record(directory);
    return kill(pid, signal);
  };
}
