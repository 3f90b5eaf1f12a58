/**
 * The memory that a worker needs for a ResNet-50 from a stream and one explanation.
 *
 * Counted is the linear memory of the backend, which never shrinks, and every byte of every ArrayBuffer that
 * is made from the first line to the last, by whatever way: none is taken for freed, so that no peak is
 * larger, whenever garbage is collected. Not counted are the chunks, which are the stream's, and what the
 * engine has for itself: code, objects, the header's text.
 */

import { afterEach, expect, it, vi } from 'vitest';
import { loadResNet } from '../src/index.js';
import { wasmKernels } from '../src/kernels/index.js';
import { hashWeights, torchvisionStateDict } from './hash-weights.js';
import { watchLinearMemory } from './linear-memory.js';
import { fileOf, storedTensors } from './stored-weights.js';
import { streamOf } from './streams.js';

const TYPES = [
  ...[ArrayBuffer, Uint8Array, Int8Array, Uint8ClampedArray, Uint16Array, Int16Array],
  ...[Uint32Array, Int32Array, Float32Array, Float64Array],
];

type Constructor = new (...args: unknown[]) => { readonly byteLength: number };

const SIDE = 224;
const CHUNK_BYTES = 65_536;

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Counts bytes until the test is over. */
function countBytes(): { readonly buffers: number; readonly linear: number } {
  let buffers = 0;
  const isBuffer = (value: unknown): boolean =>
    Object.prototype.toString.call(value) === '[object ArrayBuffer]';
  for (const type of TYPES) {
    // A subclass, and no proxy: slice(), map() and their like make one of these too.
    class Counted extends (type as unknown as Constructor) {
      constructor(...args: unknown[]) {
        super(...args);
        // A view shares the bytes of its buffer.
        if (!isBuffer(args[0])) buffers += this.byteLength;
      }
    }
    vi.stubGlobal(type.name, Counted);
  }
  const memory = watchLinearMemory();
  return {
    get buffers() {
      return buffers;
    },
    get linear() {
      return memory.byteLength;
    },
  };
}

it.each([
  ['int8', 48],
  ['f16', 72],
] as const)(
  'a ResNet-50 in %s, loaded from a stream, explains a picture of 224×224 in less than %i MB of linear memory and buffers',
  async (precision, limit) => {
    const source = hashWeights(
      torchvisionStateDict('resnet50').filter(([name]) => !name.endsWith('batches_tracked')),
      0,
    );
    const tensors = storedTensors(source, precision).sort((a, b) => (a.name < b.name ? -1 : 1));
    const { stream } = streamOf(fileOf(tensors), [CHUNK_BYTES]);

    const counted = countBytes();
    new Float32Array(8).map((x) => x).slice();
    expect(counted.buffers).toBe(3 * 32);
    const kernels = await wasmKernels('simd');
    const net = await loadResNet(stream, { kernels });
    expect(net.precision).toBe(precision);
    const picture = { data: new Uint8Array(4 * SIDE * SIDE).fill(90), width: SIDE, height: SIDE };
    const e = net.explain(picture);
    expect(e.inputSize).toEqual([SIDE, SIDE]);
    expect(e.combinedMap.shape).toEqual([SIDE, SIDE]);
    expect(e.camMap.shape).toEqual([SIDE, SIDE]);
    const { buffers, linear } = counted;
    vi.unstubAllGlobals();
    expect((buffers + linear) / 1e6).toBeLessThan(limit);
    // The count is of something: the weights are in it.
    expect(linear).toBeGreaterThan(net.weightBytes);
  },
);
