import { defineConfig } from 'vitest/config';
import config from './vitest.config.js';

/** What takes minutes and is seldom broken by a change: `npm run test:slow`. */
export default defineConfig({
  ...config,
  // Some measure the memory or the garbage of a process: each file has its own.
  test: { ...config.test, include: ['test/**/*.slow.ts'], testTimeout: 600_000, isolate: true },
});
