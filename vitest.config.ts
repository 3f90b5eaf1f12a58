import { defineConfig } from 'vitest/config';

/** Node 20 has relaxed SIMD behind a flag; from 22 on it needs none, and knows none. */
const execArgv = process.versions.node.startsWith('20.')
  ? ['--experimental-wasm-relaxed-simd']
  : [];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    testTimeout: 60_000,
    pool: 'forks',
    // The files of a worker share modules and the code that the engine compiled: an eighth of the time less.
    isolate: false,
    // All cores: by default one is left idle, which is half of two.
    maxWorkers: '100%',
    execArgv,
    // Pictures are read the same way wherever the tests run; test/sharp is about the other.
    env: { FASTCAM_SHARP: '0' },
  },
});
