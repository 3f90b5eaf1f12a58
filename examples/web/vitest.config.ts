import { defineConfig } from 'vitest/config';

const TESTS = 'test/*.test.ts';
/** WebKitGTK's, which has a driver of its own. */
const WEBKIT = 'test/webkit.test.ts';
/** In Chromium alone: the gallery is no part of the page, and the times are printed once. */
const ONCE = ['test/gallery*.test.ts', 'test/times.test.ts'];

/** `--mode screenshot` takes the README's picture in place of the tests. `--project firefox` chooses a browser. */
export default defineConfig(({ mode }) => {
  const shared = { testTimeout: 60_000, hookTimeout: 60_000 };
  const screenshot = {
    test: { ...shared, name: 'screenshot', include: ['test/screenshot.ts'] },
  };
  const browsers = [
    { ...shared, name: 'chromium', include: [TESTS], exclude: [WEBKIT] },
    {
      ...shared,
      name: 'firefox',
      include: [TESTS],
      exclude: [WEBKIT, ...ONCE],
      env: { BROWSER: 'firefox' },
    },
    { ...shared, name: 'webkit', include: [WEBKIT] },
  ].map((test) => ({ test }));
  return {
    test: {
      projects: mode === 'screenshot' ? [screenshot] : browsers,
      // One browser at a time: they measure.
      fileParallelism: false,
    },
  };
});
