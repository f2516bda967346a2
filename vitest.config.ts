import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['dist/**', 'node_modules/**'],
    globalSetup: 'test/compile-once.ts',
    setupFiles: 'test/plain-words.ts',
    // These end what hangs, and judge nothing that is slow: other checks keep this machine busy.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } }, // ends before its test does, and so says what it waited for
    pool: 'forks',
    maxWorkers: Math.max(2, availableParallelism() - 1), // on two cores Vitest would take one, and many tests wait
  },
});
