import { defineConfig } from 'vitest/config';
import config from './vitest.config.js';

/** What takes minutes and is seldom broken by a change: `npm run test:slow`. */
export default defineConfig({
  ...config,
  test: { ...config.test, include: ['test/**/*.slow.ts'], testTimeout: 600_000 },
});
