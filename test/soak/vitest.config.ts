import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/soak/*.soak.ts'],
    globalSetup: 'test/support/global-setup.ts',
    setupFiles: 'test/support/matchers.ts',
    testTimeout: 3_600_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
  },
});
