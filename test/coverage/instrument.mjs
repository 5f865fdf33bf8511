// A plugin of rolldown and of vitest: src/ counts each of its statements, branches and functions that is run, and what
// starts a process writes that down when it ends.
import { fileURLToPath, URL } from 'node:url';
import { createInstrumenter } from 'istanbul-lib-instrument';

const instrumenter = createInstrumenter({
  esModules: true,
  parserPlugins: ['typescript', 'explicitResourceManagement'],
});

/** The same source gives the same counters, so that those of all processes can be added up. */
export function instrumented(source, path) {
  const code = instrumenter.instrumentSync(source, path);
  return { code, coverage: instrumenter.lastFileCoverage() };
}

const pathOf = (relative) => JSON.stringify(fileURLToPath(new URL(relative, import.meta.url)));
const recording = `import { recordAtEnd } from ${pathOf('record.mjs')};
recordAtEnd(${pathOf('../../coverage/counted')});
`;

export default {
  name: 'instrument',
  enforce: 'pre',
  transform(source, path) {
    if (!/\/src\/.*\.ts$/.test(path)) return null;
    const { code } = instrumented(source, path);
    return { code: path.endsWith('/main.ts') ? recording + code : code, map: null };
  },
};
