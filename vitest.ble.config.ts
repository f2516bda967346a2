import { defineConfig } from 'vitest/config';

/** noble and bleno over a real controller implementation, BlueZ's emulator: `npm run test:ble`. Fetches what it needs. */
export default defineConfig({
  test: {
    include: ['test/ble/**/*.ble.ts'],
    exclude: ['dist/**', 'node_modules/**'],
    globalSetup: ['test/compile-once.ts', 'test/ble/fetch-once.ts'],
    setupFiles: 'test/plain-words.ts',
    testTimeout: 60_000,
    hookTimeout: 600_000,
    pool: 'forks',
    maxWorkers: 2, // what these wait for happens in real time: of more, one would wait for the other
  },
});
