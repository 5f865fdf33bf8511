import { mergeConfig } from 'vitest/config';
import config from '../vitest.config.ts';
import instrument from './instrument.mjs';

/** What watches files or memory would see the counting, too. */
const exclude = ['test/faults/order.test.ts', 'test/backup/memory.long.test.ts'];

/** All tests, of src/ that counts what it runs. */
export default mergeConfig(
  { ...config, test: { ...config.test, exclude } },
  {
    plugins: [instrument],
    test: { setupFiles: ['test/support/matchers.ts', 'test/coverage/record-worker.mjs'] },
  },
);
