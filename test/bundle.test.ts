/** A bundle of the core contains the embedded modules where they are used, in every format. */

import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { build, type Format } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { webAssembly } from '../src/kernels/wasm/webassembly.js';

/** A program that imports from the package as the tests find it, bundled. */
async function bundle(contents: string, format: Format): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    bundle: true,
    minify: true,
    format,
    write: false,
  });
  return outputFiles[0]!.text;
}

describe('a bundle of the core', () => {
  it.each(['fastcam', 'fastcam/kernels'])(
    'has neither SIMD build where it uses plain JavaScript alone, from %s',
    async (entry) => {
      const text = await bundle(`import { jsKernels } from '${entry}'; jsKernels();`, 'esm');
      expect(text.length).toBeLessThan(20_000);
    },
  );

  it('runs as a classic script, where there is no import(): a service worker, an extension', async () => {
    const text = await bundle(
      "import { makeKernels } from 'fastcam'; globalThis.made = makeKernels('simd');",
      'iife',
    );
    const context = createContext({ WebAssembly: webAssembly });
    runInContext(text, context);
    expect((await context['made']).name).toBe('simd');
  });
});
