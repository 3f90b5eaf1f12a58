/** Networks and kernels give their memory back, and say so when they are used afterwards. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explainActivations } from '../src/explain-activations.js';
import { type Kernels, loadNetwork, makeKernels, type Picture } from '../src/index.js';
import { BACKENDS } from './kernels/backends.js';

const WEIGHTS = readFileSync(new URL('../models/tiny-resnet50.safetensors', import.meta.url));
const MEGABYTE = 1e6;

const load = (kernels: Kernels) => loadNetwork(WEIGHTS, { kernels });

function pictureOf(width: number, height: number): Picture {
  const data = Uint8Array.from({ length: 4 * width * height }, (_, i) => (i * 37) % 256);
  return { data, width, height };
}

/** The size of the one linear memory of SIMD kernels, read off a view of it. */
async function memoryOf(kernels: Kernels): Promise<number> {
  const vectors = kernels.packVectors(new Float32Array(1), new Float32Array(1));
  const bytes = vectors.scale.buffer.byteLength;
  kernels.release(vectors);
  return bytes;
}

/** An object in a deep reactive state: every access goes through a proxy. */
function reactive<T extends object>(target: T): T {
  return new Proxy(target, { get: (object, key, self) => Reflect.get(object, key, self) });
}

describe('networks on shared kernels', () => {
  it('leave no more than 10 MB behind, after sixty of them one after the other', async () => {
    const kernels = await makeKernels('simd');
    const picture = pictureOf(160, 120);
    let first = 0;
    for (let i = 0; i < 60; i++) {
      const net = await load(kernels);
      net.explain(picture, { size: 64 });
      net.dispose();
      first ||= await memoryOf(kernels);
    }
    expect(first).toBeGreaterThan(MEGABYTE);
    expect((await memoryOf(kernels)) - first).toBeLessThan(10 * MEGABYTE);
  });

  it('leave no more than 10 MB behind if two exist at a time', async () => {
    const kernels = await makeKernels('simd');
    let [older, first] = [await load(kernels), 0];
    for (let i = 0; i < 15; i++) {
      const newer = await load(kernels);
      newer.explain(pictureOf(100 + 3 * i, 80), { size: 32 + 32 * (i % 4) });
      older.dispose();
      older = newer;
      if (i === 3) first = await memoryOf(kernels);
    }
    expect((await memoryOf(kernels)) - first).toBeLessThan(10 * MEGABYTE);
  });

  it('take at most 10 MB more for 1,500 explanations of varying sizes than for the largest one', async () => {
    const kernels = await makeKernels('simd');
    const net = await load(kernels);
    const sizes = [32, 64, 96];
    const sizeOf = (i: number): number => sizes[i % 50 === 0 ? (i / 50) % 3 : 0]!;
    for (const size of sizes) net.explain(pictureOf(90, 60), { size });
    const first = await memoryOf(kernels);
    for (let i = 0; i < 1500; i++) {
      // Each ratio of the sides is another shape of the input.
      const picture = pictureOf(24 + (i % 60), 24 + ((i * 13) % 40));
      net.explain(picture, { size: sizeOf(i), cam: 'none' });
    }
    expect((await memoryOf(kernels)) - first).toBeLessThan(10 * MEGABYTE);
  }, 240_000);
});

describe.each(BACKENDS)('on $name', ({ make }) => {
  const picture = pictureOf(64, 48);

  it('a disposed network says so, and its explanations keep their maps', async () => {
    const net = await load(await make());
    const explanation = net.explain(picture, { size: 32 });
    const before = explanation.camMap.data.slice();
    net.dispose();
    net.dispose();
    expect(() => net.explain(picture)).toThrow(new TypeError('network: disposed'));
    expect(() => net.forward(1, 32, 32)).toThrow(/network: disposed/);
    expect(explanation.camMap.data).toEqual(before);
    expect(explanation.combinedMap.data).toHaveLength(64 * 48);
    expect(() => explanation.classMaps(3)).toThrow(/network: disposed/);
  });

  it('disposed kernels say so, also of a network and a size that ran before', async () => {
    const kernels = await make();
    const net = await load(kernels);
    const explanation = net.explain(picture, { size: 32 });
    kernels.dispose();
    kernels.dispose();
    expect(kernels.isDisposed).toBe(true);
    expect(() => net.explain(picture, { size: 32 })).toThrow(/kernels: disposed/);
    await expect(load(kernels)).rejects.toThrow(/kernels: disposed/);
    const taps = [{ data: new Float32Array(4), shape: [2, 2, 1], layout: 'nhwc' as const }];
    expect(() => explainActivations({ taps }, { kernels })).toThrow(/kernels: disposed/);
    expect(explanation.combinedMap.data).toHaveLength(64 * 48);
    net.dispose();
  });

  it('frees memory at the end of `using`', async () => {
    const kernels = await make();
    const net = await load(kernels);
    net[Symbol.dispose]();
    expect(() => net.explain(picture)).toThrow(/disposed/);
    kernels[Symbol.dispose]();
    expect(kernels.isDisposed).toBe(true);
  });

  it('says what to do if a deep proxy wraps one of its objects', async () => {
    const kernels = await make();
    const net = await load(kernels);
    const explanation = reactive(net.explain(picture, { size: 32 }));
    const proxied = reactive(net);
    const told = /behind a proxy.*markRaw or shallowRef/;
    for (const use of [
      () => explanation.combinedMap,
      () => explanation.camMap,
      () => explanation.fastcamMap,
      () => explanation.nonClassMap,
      () => explanation.cost,
      () => explanation.top(1),
      () => explanation.classMaps(1),
      () => explanation.resized(8, 8),
      () => proxied.forward(1, 32, 32),
      () => proxied.tensors,
      () => proxied.dispose(),
    ]) {
      expect(use, String(use)).toThrow(told);
    }
    expect(proxied.explain(picture, { size: 32 }).top(1)).toEqual(
      net.explain(picture, { size: 32 }).top(1),
    );
    if (kernels.name === 'js') return;
    await expect(load(reactive(kernels))).rejects.toThrow(told);
    expect(() => reactive(kernels).dispose()).toThrow(told);
  });
});
