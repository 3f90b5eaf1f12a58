import { readFileSync } from 'node:fs';
import ops from 'ndarray-ops';
import { describe, expect, it } from 'vitest';
import {
  jsKernels,
  loadResNet,
  makeKernels,
  type Picture,
  ShapeError,
  type Statistic,
} from '../src/index.js';
import { STATISTICS } from '../src/kernels/index.js';
import { parseSafetensors } from '../src/model/index.js';
import { NORMALIZERS, type Normalizer } from '../src/viz/index.js';
import { hashImage } from './hash-weights.js';

const bytes = readFileSync(new URL('../models/tiny-resnet50.safetensors', import.meta.url));
const labels = JSON.parse(
  readFileSync(new URL('../models/tiny-resnet50-labels.json', import.meta.url), 'utf8'),
) as string[];
const net = await loadResNet(bytes, { kernels: await makeKernels('simd') });

/** A picture with some structure in it. */
function picture(width: number, height: number): Picture {
  const data = Uint8Array.from({ length: width * height * 4 }, (_, i) => {
    const p = i >> 2;
    const [x, y] = [p % width, Math.floor(p / width)];
    return i % 4 === 3 ? 255 : (x * 5 + y * 3 * (i % 4) + ((x ^ y) & 31) * 4) % 256;
  });
  return { data, width, height };
}

describe('explain', () => {
  it('says so when a network overflows, and does not explain NaN', async () => {
    const { tensors } = parseSafetensors(bytes, 'tiny');
    const huge = Uint8Array.from(bytes);
    for (const [tensor, { begin, end }] of tensors) {
      // 0x7bff is the largest float16, 65504.
      if (tensor.endsWith('bn3.weight'))
        for (let i = begin; i < end; i++) huge[i] = (i - begin) & 1 ? 0x7b : 0xff;
    }
    const overflowing = await loadResNet(huge, { kernels: jsKernels() });
    expect(() => overflowing.explain(picture(32, 32), { size: 32 })).toThrow(
      /explain: the network gives (NaN|-?Infinity) for class 0/,
    );
  });

  it('returns maps in the pixels of the picture, for every fit, in [0, 1] where the network saw', () => {
    for (const fit of ['whole', 'stretch', 'crop'] as const) {
      const e = net.explain(picture(90, 61), { fit, size: 64 });
      for (const map of [e.combinedMap, e.camMap, e.fastcamMap, e.nonClassMap]) {
        expect(map.shape).toEqual([61, 90]);
        const { x, y, width, height } = e.region;
        map.data.forEach((value, p) => {
          const [px, py] = [(p % 90) + 0.5, Math.floor(p / 90) + 0.5];
          const seen = px >= x && px <= x + width && py >= y && py <= y + height;
          expect(Number.isNaN(value)).toBe(!seen);
          if (seen) expect(value >= 0 && value <= 1).toBe(true);
        });
      }
      expect(fit === 'crop').toBe(e.combinedMap.data.some(Number.isNaN));
    }
  });

  it('makes its maps with the given long side, but no larger than the picture', () => {
    for (const fit of ['whole', 'crop'] as const) {
      const e = net.explain(picture(90, 60), { fit, size: 64 });
      const small = net.explain(picture(90, 60), { fit, size: 64, maps: { longSide: 45 } });
      expect([small.width, small.height]).toEqual([45, 30]);
      expect(small.fastcamMap).toEqual(e.resized(45, 30).fastcamMap);
      expect(small.lovi()).toEqual(e.resized(45, 30).lovi());
      expect(small.logits).toEqual(e.logits);
      const large = net.explain(picture(90, 60), { fit, size: 64, maps: { longSide: 1000 } });
      expect(large.combinedMap).toEqual(e.combinedMap);
    }
    for (const longSide of [0, 1.5, Number.NaN]) {
      expect(() => net.explain(picture(9, 9), { size: 32, maps: { longSide } })).toThrow(
        `maps: longSide expected a whole number ≥ 1, got ${longSide}`,
      );
    }
    const thin = net.explain(picture(90, 2), { size: 32, maps: { longSide: 10 } });
    expect([thin.width, thin.height]).toEqual([10, 1]);
  });

  it('gives its maps at any size: pixels keep their place in the picture, and all else is the same', () => {
    const e = net.explain(picture(90, 60), { fit: 'crop', size: 64 });
    const own = e.resized(90, 60);
    expect(own.combinedMap.data).toEqual(e.combinedMap.data);
    expect(own.region).toEqual(e.region);
    // Three times as large, the middle pixel of nine has the same place.
    const large = e.resized(270, 180);
    expect([large.width, large.height, large.combinedMap.shape]).toEqual([270, 180, [180, 270]]);
    expect(large.top(3)).toEqual(e.top(3));
    expect(large.lovi().width).toBe(270);
    for (let y = 0; y < 60; y++) {
      for (let x = 0; x < 90; x++) {
        const there = large.combinedMap.data[(3 * y + 1) * 270 + 3 * x + 1]!;
        const here = e.combinedMap.data[y * 90 + x]!;
        if (!Number.isNaN(here)) expect(there).toBeCloseTo(here, 6);
      }
    }
  });

  it('returns maps that ndarray-ops takes unchanged', () => {
    const e = net.explain(picture(64, 64), { size: 64 });
    const map = e.combinedMap as unknown as Parameters<typeof ops.sup>[0];
    expect(ops.sup(map)).toBe(Math.max(...e.combinedMap.data));
    // Its types know three arguments; it takes one.
    const argmax = ops.argmax as unknown as (map: unknown) => number[];
    expect(argmax(map)).toHaveLength(2);
  });

  it('splits the combined map between the class and the rest: FastCAM + non-class = combined', () => {
    const e = net.explain(picture(64, 64), { size: 64 });
    e.combinedMap.data.forEach((value, i) => {
      expect(e.fastcamMap.data[i]! + e.nonClassMap.data[i]!).toBeCloseTo(value, 6);
    });
  });

  it('ranks classes by logit, with probabilities that sum to 1', () => {
    const e = net.explain(picture(64, 64), { size: 64 });
    const all = e.top(200);
    expect(all.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
    expect(e.target).toBe(all[0]!.index);
    expect(all.every(({ logit }, i) => i === 0 || logit <= all[i - 1]!.logit)).toBe(true);
    expect(e.top(3)).toEqual(all.slice(0, 3));
    expect(all.every(({ index, label }) => label === labels[index])).toBe(true);
  });

  it('explains any class by index or name, from the same pass', () => {
    const e = net.explain(picture(64, 64), { size: 64 });
    const byName = e.classMaps('Tabby');
    expect(byName).toEqual(e.classMaps(labels.indexOf('tabby')));
    expect(net.explain(picture(64, 64), { size: 64, target: 'tabby' }).camMap).toEqual(
      byName.camMap,
    );
  });

  it('keeps its arrays when the network explains another picture', () => {
    const e = net.explain(picture(64, 64), { size: 64 });
    const before = [e.logits, ...e.rawMaps.map(({ data }) => data)].map((a) => a.slice());
    const other = picture(64, 64);
    net.explain(
      { ...other, data: other.data.map((v, i) => (i % 4 === 3 ? 255 : 255 - v)) },
      { size: 64 },
    );
    expect([e.logits, ...e.rawMaps.map(({ data }) => data)]).toEqual(before);
    expect(e.camMap).toEqual(net.explain(picture(64, 64), { size: 64 }).camMap);
  });

  it('gives every picture of a batch the same as alone', () => {
    const data = hashImage(1, 2 * 3 * 64 * 96);
    const both = net.explainBatch({ data, shape: [2, 3, 64, 96] });
    both.forEach((e, n) => {
      const half = data.slice((n * data.length) / 2, ((n + 1) * data.length) / 2);
      const alone = net.explain({ data: half, shape: [1, 3, 64, 96] });
      expect(e.logits).toEqual(alone.logits);
      expect(e.combinedMap).toEqual(alone.combinedMap);
      expect(e.fastcamMap).toEqual(alone.fastcamMap);
    });
  });

  it('takes weights and normaliser into account: one scale alone gives that scale', () => {
    const e = net.explain(picture(64, 64), {
      size: 64,
      scaleWeights: [0, 0, 0, 0, 2],
      normalizer: 'range',
    });
    const last = e.scaleMaps[4]!;
    expect(Math.min(...last.data)).toBe(0);
    expect(Math.max(...last.data)).toBe(1);
    expect(e.combinedMap.data[0]).toBeCloseTo(last.data[0]!, 6);
  });

  it.each(Object.keys(STATISTICS) as Statistic[])(
    '%s under every normaliser: maps without NaN, in [0, 1], and pictures of every byte',
    (statistic) => {
      for (const normalizer of Object.keys(NORMALIZERS) as Normalizer[]) {
        const e = net.explain(picture(64, 48), { size: 48, statistic, normalizer });
        expect(e.statistic).toBe(statistic);
        expect(e.lovi().data.length).toBe(4 * 64 * 48);
        for (const { data } of [e.combinedMap, e.camMap, e.fastcamMap, e.nonClassMap]) {
          expect(data.every(Number.isFinite), normalizer).toBe(true);
          // The identity leaves raw values as they are, below 0 and above 1.
          const inRange = data.every((value) => value >= 0 && value <= 1);
          if (normalizer !== 'identity') expect(inRange, normalizer).toBe(true);
        }
      }
    },
  );

  it('returns the raw maps of the requested statistic, from the same network', () => {
    const smoe = net.explain(picture(64, 64), { size: 64 });
    const mean = net.explain(picture(64, 64), { size: 64, statistic: 'mean' });
    expect(mean.logits).toEqual(smoe.logits);
    const forward = net.forward(1, 64, 64, { statistic: 'mean' });
    expect(mean.rawMaps.map(({ data }) => data)).toEqual(forward.maps);
    expect(mean.rawMaps).not.toEqual(smoe.rawMaps);
    expect(mean.cost.ops).toEqual({ ...smoe.cost.ops, smoe: 0 });
  });

  it('counts operations as the paper does', () => {
    const {
      ops: counted,
      bytes: sizes,
      ms,
    } = net.explain(picture(128, 128), { now: () => 5 }).cost;
    // A quarter of ResNet-50's width on 128×128 pixels.
    const taps = [
      [16, 64],
      [64, 32],
      [128, 16],
      [256, 8],
      [512, 4],
    ] as const;
    expect(counted.smoe).toBe(taps.reduce((sum, [C, side]) => sum + (4 * C + 1) * side ** 2, 0));
    expect(counted.normalize).toBe(12 * (64 ** 2 + 32 ** 2 + 16 ** 2 + 8 ** 2 + 4 ** 2));
    expect(counted.combine).toBe(128 ** 2 * (4.5 + 4 * 6.75));
    expect(sizes.maps).toBe(4 * (64 ** 2 * 2 + 32 ** 2 + 16 ** 2 + 8 ** 2 + 4 ** 2));
    expect(ms).toEqual({ preprocess: 0, network: 0, saliency: 0 });
  });

  it('explains a picture of one pixel and one of a single colour, without NaN', () => {
    for (const [width, height] of [
      [1, 1],
      [40, 1],
    ] as const) {
      const data = new Uint8Array(width * height * 4).fill(255);
      const e = net.explain({ data, width, height }, { size: 64 });
      for (const map of [e.combinedMap, e.camMap, e.fastcamMap, e.nonClassMap]) {
        expect(map.data.every(Number.isFinite)).toBe(true);
      }
      expect(e.lovi().data.length).toBe(width * height * 4);
    }
  });

  it.each<[string, () => unknown, string | RegExp]>([
    [
      'a picture without pixels',
      () => net.explain({ data: new Uint8Array(0), width: 0, height: 0 }),
      'explain',
    ],
    [
      'data that does not fit',
      () => net.explain({ data: new Uint8Array(5), width: 2, height: 2 }),
      'explain',
    ],
    [
      'a tensor of another shape',
      () => net.explain({ data: new Float32Array(5), shape: [1, 3, 2, 2] }),
      'tensor expected [N, 3, H, W], got [1,3,2,2] with 5 values',
    ],
    [
      'a batch',
      () => net.explain({ data: new Float32Array(24), shape: [2, 3, 2, 2] }),
      'expected 1 picture, got 2: use explainBatch',
    ],
    [
      'a class out of range',
      () => net.explain(picture(8, 8), { target: 200, size: 32 }),
      'target: expected a class index 0…199, got 200',
    ],
    [
      'a tensor that is not finite',
      () => net.explain({ data: new Float32Array(12).fill(Number.NaN, 5), shape: [1, 3, 2, 2] }),
      'tensor has NaN at element 5',
    ],
    [
      'more pixels than memory',
      () => net.explain(picture(8, 8), { size: 20_000 }),
      /forward: an input of 1×20000×20000 takes [\d.]+ MB beside [\d.]+ MB of weights, and the limit is [\d.]+ MB/,
    ],
    [
      'a class nobody knows',
      () => net.explain(picture(8, 8), { target: 'tab', size: 32 }),
      'no class is called tab; did you mean tabby',
    ],
    [
      'negative weights',
      () => net.explain(picture(8, 8), { scaleWeights: [1, 1, 1, 1, -1] }),
      'scaleWeights',
    ],
    [
      'too few weights',
      () => net.explain(picture(8, 8), { scaleWeights: [1], size: 32 }),
      'scaleWeights: expected 5 weights for 5 maps, got 1',
    ],
    [
      'an unknown statistic',
      () => net.explain(picture(8, 8), { statistic: 'median' as 'mean' }),
      /^statistic: expected smoe, gamma, .*, got median$/,
    ],
    [
      'an unknown normaliser',
      () => net.explain(picture(8, 8), { normalizer: 'softmax' as 'range' }),
      'normalizer: expected gaussian, gamma, gamma-reference, range, identity, got softmax',
    ],
    [
      'a CAM that was not asked for',
      () => net.explain(picture(8, 8), { cam: 'none', size: 32 }).camMap,
      'no class activation map was asked for',
    ],
    [
      'a size without pixels',
      () => net.explain(picture(8, 8), { size: 0 }),
      'fit: size expected a whole number ≥ 1, got 0',
    ],
  ])('refuses %s', (_, action, message) => {
    expect(action).toThrow(ShapeError);
    expect(action).toThrow(message);
  });
});
