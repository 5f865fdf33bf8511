import { mergeConfig } from 'vitest/config';
import config from './vitest.config.ts';

/** What takes its time: kills at every step, other machines, a server for S3, whatever a file can hold. */
export default mergeConfig(
  { ...config, test: { ...config.test, include: [], exclude: [] } },
  { test: { include: ['test/**/*.long.test.ts'] } },
);
