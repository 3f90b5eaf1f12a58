/** Networks that share kernels leave no memory behind: hundreds of them, and of explanations. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Kernels, loadNetwork, makeKernels, type Picture } from '../src/index.js';

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
