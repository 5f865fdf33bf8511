import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/matrix/*.matrix.ts'],
    // The SDK for S3 would warn of Node 20.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    setupFiles: 'test/support/matchers.ts',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 3,
  },
});
