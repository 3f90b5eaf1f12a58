/** The export condition `workerd`: compiled modules in place of embedded bytes. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { webAssembly } from '../src/kernels/wasm/webassembly.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ENTRIES = ['fastcam', 'fastcam/kernels'];

/** What every wasm module begins with, as src/kernels/wasm/byte-text.ts has it: 0, `asm`, 1. */
const MAGIC = '+}7}I}C,+++';

/** The import of a .wasm file gives its compiled module, as in workerd. */
const compiledWasm: Plugin = {
  name: 'compiled wasm',
  setup({ onLoad }) {
    onLoad({ filter: /\.wasm$/ }, ({ path }) => ({
      contents: `export default new WebAssembly.Module(new Uint8Array([${[...readFileSync(path)]}]));`,
    }));
  },
};

/** Everything that an entry exports, in one module. */
function bundle(entry: string, conditions: string[]) {
  return build({
    stdin: { contents: `export * from '${entry}';`, resolveDir: ROOT },
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    conditions,
    plugins: [compiledWasm],
    metafile: true,
    write: false,
  });
}

type Bundle = Awaited<ReturnType<typeof bundle>>;

const exportsOf = ({ metafile }: Bundle): string[] => Object.values(metafile.outputs)[0]!.exports;
const textOf = ({ outputFiles }: Bundle): string => outputFiles[0]!.text;

describe.each(ENTRIES)('%s on workerd', async (entry) => {
  const workerd = await bundle(entry, ['workerd', 'worker']);
  const elsewhere = await bundle(entry, []);

  afterEach(() => vi.restoreAllMocks());

  it('has the same exports as elsewhere', () => {
    expect(exportsOf(workerd).sort()).toEqual(exportsOf(elsewhere).sort());
  });

  it('has no import(), which some workers do not support', () => {
    expect(textOf(elsewhere)).not.toMatch(/\bimport\(/);
  });

  it('imports the .wasm files and leaves the embedded bytes out', () => {
    const wasm = Object.keys(workerd.metafile.inputs).filter((path) => path.endsWith('.wasm'));
    expect(wasm.sort()).toEqual(['dist/kernels/wasm/relaxed.wasm', 'dist/kernels/wasm/simd.wasm']);
    expect(textOf(workerd)).not.toContain(MAGIC);
    expect(textOf(elsewhere)).toContain(MAGIC);
  });

  it('makes every backend where compilation is forbidden', async () => {
    const base64 = Buffer.from(textOf(workerd)).toString('base64');
    const { makeKernels, wasmKernels } = await import(`data:text/javascript;base64,${base64}`);
    vi.spyOn(webAssembly!, 'compile').mockRejectedValue(new Error('disallowed by embedder'));
    for (const name of ['relaxed', 'simd', 'js']) {
      expect((await makeKernels(name)).name).toBe(name);
    }
    expect(['relaxed', 'simd']).toContain((await makeKernels()).name);
    expect((await wasmKernels('simd', { winograd: false })).name).toBe('simd');
  });
});

describe('fastcam/gradients on workerd', async () => {
  const workerd = await bundle('fastcam/gradients', ['workerd', 'worker']);

  it('has the same exports as elsewhere, and the kernels as a compiled module', async () => {
    const elsewhere = await bundle('fastcam/gradients', []);
    expect(exportsOf(workerd).sort()).toEqual(exportsOf(elsewhere).sort());
    expect(Object.keys(workerd.metafile.inputs)).toContain('dist/kernels/wasm/gradient.wasm');
  });
});
