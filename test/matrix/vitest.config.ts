import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/matrix/*.matrix.ts'],
    setupFiles: 'test/support/matchers.ts',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 3,
  },
});
