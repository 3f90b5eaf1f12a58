import { defineConfig } from 'vitest/config';

/** `--mode screenshot` takes the README's picture in place of the tests. */
export default defineConfig(({ mode }) => ({
  test: {
    include: [mode === 'screenshot' ? 'test/screenshot.ts' : 'test/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // One browser at a time: they measure.
    fileParallelism: false,
  },
}));
