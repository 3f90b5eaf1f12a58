import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it, vi } from 'vitest';
import { makeKernels, UnsupportedError, wasmKernels } from '../../src/index.js';
import { layerWeights } from '../../src/kernels/index.js';
import { decodeBytes } from '../../src/kernels/wasm/byte-text.js';
import { PIECES } from '../../src/kernels/wasm/embedded.js';
import { LinearMemory } from '../../src/kernels/wasm/linear-memory.js';
import { webAssembly } from '../../src/kernels/wasm/webassembly.js';

const { resolve } = createRequire(import.meta.url);

describe('wasmKernels', () => {
  it('runs a module that the caller compiled from the .wasm files of the package', async () => {
    for (const build of ['simd', 'relaxed']) {
      const bytes = readFileSync(resolve(`fastcam/${build}.wasm`));
      const kernels = await wasmKernels(await webAssembly!.compile(bytes));
      expect(kernels.name).toBe('wasm');
      const shape = { Cin: 4, Cout: 2, kH: 1, kW: 1, groups: 1 };
      kernels.packConv2d(shape, layerWeights(new Float32Array(8), new Float32Array(2)));
    }
  });

  it('is chosen by auto if the engine has it, and then there is no fallback message', async () => {
    // Of the versions that run these tests: 24 is the first whose compiler makes `relaxed` the faster one.
    const faster = Number.parseInt(process.versions.node, 10) < 24 ? 'simd' : 'relaxed';
    expect(await makeKernels()).toMatchObject({ name: faster });
    expect((await wasmKernels()).name).toBe(faster);
    expect(await makeKernels()).not.toHaveProperty('fallback');
    expect((await makeKernels('relaxed')).name).toBe('relaxed');
    expect((await makeKernels('simd')).name).toBe('simd');
    expect((await makeKernels('js')).name).toBe('js');
  });

  it('says so if the engine refuses the build', async () => {
    const validate = webAssembly!.validate;
    webAssembly!.validate = () => false;
    try {
      await expect(wasmKernels('relaxed')).rejects.toThrow(UnsupportedError);
      const { name, fallback } = await makeKernels();
      expect(name).toBe('js');
      expect(fallback).toBe('the engine has no WebAssembly SIMD');
    } finally {
      webAssembly!.validate = validate;
    }
  });

  it('says so if the engine may not compile, as in a page with a strict policy', async () => {
    const refused = new Error("violates the policy: script-src 'self'");
    const compile = vi.spyOn(webAssembly!, 'compile').mockRejectedValue(refused);
    try {
      await expect(wasmKernels('simd')).rejects.toThrow(UnsupportedError);
      for (const backend of ['simd', 'auto'] as const) {
        await expect(makeKernels(backend)).rejects.toThrow(/choose js.*violates/);
      }
      expect(await makeKernels('js')).not.toHaveProperty('fallback');
    } finally {
      compile.mockRestore();
    }
  });
});

describe('LinearMemory', () => {
  const make = (): LinearMemory => new LinearMemory(new webAssembly!.Memory({ initial: 1 }), 1000);

  it('hands out regions that do not overlap and begin at a cache line', () => {
    const memory = make();
    const regions = [100, 1, 70_000, 64].map((bytes) => ({ ptr: memory.allocate(bytes), bytes }));
    for (const [i, { ptr, bytes }] of regions.entries()) {
      expect(ptr % 64).toBe(0);
      expect(ptr + bytes).toBeLessThanOrEqual(memory.bytes);
      if (i > 0) expect(ptr).toBeGreaterThanOrEqual(regions[i - 1]!.ptr + regions[i - 1]!.bytes);
    }
  });

  it('reuses released regions, and joins neighbours', () => {
    const memory = make();
    const [a, b, c] = [memory.allocate(640), memory.allocate(640), memory.allocate(640)];
    const last = memory.allocate(64);
    memory.release(a, 640);
    memory.release(c, 640);
    memory.release(b, 640);
    expect(memory.allocate(1920)).toBe(a);
    memory.release(last, 64);
    expect(memory.allocate(1000)).toBe(last);
  });

  it('names the bytes needed if the engine refuses to grow', () => {
    expect(() => make().allocate(2 ** 33)).toThrow(/8589935\d+ bytes; the engine/);
  });
});

describe('the embedded modules', () => {
  it('are the .wasm files, byte for byte', () => {
    for (const build of ['simd', 'relaxed'] as const) {
      const text = PIECES.map((piece) => piece[build]).join('');
      const bytes = decodeBytes(text);
      expect(Buffer.from(bytes).equals(readFileSync(resolve(`fastcam/${build}.wasm`)))).toBe(true);
    }
  });

  it('are text with one or two characters for each byte', () => {
    expect([...decodeBytes('(+|')]).toEqual([253, 0, 81]);
    expect([...decodeBytes('}(}~~(~{')]).toEqual([82, 168, 169, 252]);
    expect(decodeBytes('').length).toBe(0);
  });
});
