// Adds up what all processes have counted, and reports lines and branches: a summary, and a page for each file.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import coverageLibrary from 'istanbul-lib-coverage';
import reportLibrary from 'istanbul-lib-report';
import reports from 'istanbul-reports';
import { instrumented } from './instrument.mjs';

const counted = 'coverage/counted/';

/** Files that no process has loaded are in it, too. */
const coverageMap = coverageLibrary.createCoverageMap({});
for (const file of readdirSync('src', { recursive: true })) {
  if (!file.endsWith('.ts')) continue;
  const path = resolve('src', file);
  coverageMap.addFileCoverage(instrumented(readFileSync(path, 'utf8'), path).coverage);
}

/** What a process has counted; nothing where it was killed while it wrote that down. */
function countersIn(name) {
  try {
    return Object.entries(JSON.parse(readFileSync(counted + name, 'utf8')));
  } catch {
    return [];
  }
}

for (const name of readdirSync(counted)) {
  for (const [path, { s, f, b }] of countersIn(name)) {
    const { data } = coverageMap.fileCoverageFor(path);
    for (const [id, times] of Object.entries(s)) data.s[id] += times;
    for (const [id, times] of Object.entries(f)) data.f[id] += times;
    for (const [id, each] of Object.entries(b)) each.forEach((times, i) => (data.b[id][i] += times));
  }
}
rmSync(counted, { recursive: true });

const context = reportLibrary.createContext({ dir: 'coverage', coverageMap });
for (const name of ['text-summary', 'json', 'html']) reports.create(name).execute(context);
