import { defineConfig } from 'vitest/config';

/** The log and the broker, met by software that is not ours: `npm run test:interop`. Needs Debian's packages. */
export default defineConfig({
  test: {
    include: ['test/interop/**/*.interop.ts'],
    exclude: ['dist/**', 'node_modules/**'],
    globalSetup: 'test/compile-once.ts',
    setupFiles: 'test/plain-words.ts',
    testTimeout: 300_000,
    hookTimeout: 600_000,
    pool: 'forks',
    fileParallelism: false,
  },
});
