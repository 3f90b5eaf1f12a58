/**
 * Cloudflare's workerd, through miniflare: the export condition `workerd`, .wasm files as compiled
 * modules, everything computed while a request is served.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { bundle } from './layout.mjs';

/** The memory that a worker has, 128 MB: of WebAssembly workerd enforces it only when it is told. */
const V8_FLAGS = '--wasm-max-mem-pages=2048';

export const workerds = ['2024-01-01', '2026-07-01'].map((compatibilityDate) => ({
  name: `workerd ${compatibilityDate}`,
  backends: ['js', 'simd', 'relaxed'],
  allowed: { codeGeneration: false },
  async run(folder) {
    process.env.MINIFLARE_WORKERD_V8_FLAGS = V8_FLAGS;
    const { Miniflare } = await import('miniflare');
    await bundle(folder, 'worker-entry.mjs', {
      conditions: ['workerd', 'worker'],
      external: ['./files/*'],
      loader: { '.wasm': 'copy' },
      assetNames: '[name]',
    });
    const read = (path) => ({
      path: join(folder, path),
      contents: readFileSync(join(folder, path)),
    });
    const worker = new Miniflare({
      compatibilityDate,
      modules: [
        { type: 'ESModule', ...read('worker-entry.mjs') },
        ...['gradient.wasm', 'relaxed.wasm', 'simd.wasm'].map((path) => ({
          type: 'CompiledWasm',
          ...read(path),
        })),
        ...readdirSync(join(folder, 'files')).map((name) => ({
          type: 'Data',
          ...read(`files/${name}`),
        })),
      ],
      modulesRoot: folder,
    });
    try {
      const response = await worker.dispatchFetch('http://localhost/');
      if (!response.ok) throw new Error(await response.text());
      const { version } = createRequire(import.meta.url)('workerd/package.json');
      return { version, ...(await response.json()) };
    } finally {
      await worker.dispose();
    }
  },
}));
