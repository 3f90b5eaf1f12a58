/** `fastcam/gradients`: pictures and tensors in, options, maps out. */

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type AttributeOptions,
  activationNames,
  attributionMap,
  conditionalMaps,
  type GradientNetwork,
  saliencyVector,
  withGradients,
} from '../src/gradients.js';
import { loadNetwork, networkOf, type Picture, wasmKernels } from '../src/index.js';
import { STATISTICS } from '../src/kernels/index.js';
import { toNdArray } from '../src/viz/index.js';
import { distance } from './compare.js';
import { loadOracle } from './goldens.js';

const WEIGHTS = readFileSync(new URL('../models/tiny-resnet50.safetensors', import.meta.url));
let net: GradientNetwork;
let inner: GradientNetwork;
const { weights, x } = loadOracle('vgg-timm');
beforeAll(async () => {
  net = withGradients(await loadNetwork(WEIGHTS, { kernels: await wasmKernels() }));
  inner = withGradients(networkOf(weights, { kernels: await wasmKernels() }));
});

function picture(width: number, height: number, shift = 0): Picture {
  const data = Uint8Array.from({ length: width * height * 4 }, (_, i) => {
    const [px, py] = [(i >> 2) % width, Math.floor((i >> 2) / width)];
    return i % 4 === 3 ? 255 : (px * 5 + py * 3 * (i % 4) + ((px ^ py) & 31) * 4 + shift) % 256;
  });
  return { data, width, height };
}
const PHOTO = picture(90, 61);

describe('attribute', () => {
  it('sees of a picture what explain sees, for every fit, and explains its class', () => {
    for (const fit of ['whole', 'stretch', 'crop'] as const) {
      const a = net.attribute(PHOTO, { fit, size: 64 });
      const e = net.explain(PHOTO, { fit, size: 64 });
      expect(a.logits).toEqual(e.logits);
      expect(a.targets).toEqual([e.target]);
      expect(a.region).toEqual(e.region);
      expect(a.map.shape).toEqual(e.inputSize);
      expect([a.width, a.height]).toEqual([90, 61]);
      expect(a.attribution.shape).toEqual([...e.inputSize, 3]);
    }
  });

  it('gives the map of a tensor, and its class by index, by name or in a list', () => {
    const size = 32;
    const tensor = { data: new Float32Array(3 * size * size).fill(0.5), shape: [1, 3, size, size] };
    const image = tensor as { data: Float32Array; shape: [number, number, number, number] };
    const byIndex = net.attribute(image, { target: 5 });
    expect(byIndex.region).toEqual({ x: 0, y: 0, width: size, height: size });
    for (const target of [net.labels[5]!, [5], [net.labels[5]!, 5]]) {
      expect(net.attribute(image, { target }).attribution).toEqual(byIndex.attribution);
    }
    expect(byIndex.score).toBe('logit');
    expect(byIndex.bytes.weights).toBe(net.weightBytes);
    expect(byIndex.bytes.pass).toBeGreaterThan(0);
  });

  it('counts its passes and reports them from above 0 to 1', () => {
    for (const [options, passes] of [
      [{}, 1],
      [{ method: 'gradcam' }, 1],
      [{ method: 'bidicam' }, 1],
      [{ method: 'guided-gradcam' }, 2],
      [{ method: 'integrated-gradients', steps: 4, smoothing: 'smoothgrad', samples: 3 }, 12],
      [{ method: 'guided-gradcam', smoothing: 'vargrad', samples: 3 }, 6],
    ] as const) {
      const shares: number[] = [];
      const a = net.attribute(PHOTO, {
        ...options,
        size: 32,
        onProgress: (share) => shares.push(share),
      });
      expect(a.passes).toBe(passes);
      expect(shares).toEqual([...shares].sort((p, q) => p - q));
      expect(shares.at(-1)).toBe(1);
    }
  });

  it('stops between two passes with the reason of the abort', () => {
    const controller = new AbortController();
    const options = { smoothing: 'smoothgrad', size: 32, signal: controller.signal } as const;
    const onProgress = () => controller.abort(new Error('enough'));
    expect(() => net.attribute(PHOTO, { ...options, onProgress })).toThrow('enough');
  });

  it('averages the maps of several values', () => {
    const [a, b] = net.scales.slice(-2);
    const of = (at: string | string[]) =>
      net.attribute(PHOTO, { method: 'layercam', at, size: 64 }).map.data;
    const [first, second] = [of(a!), of(b!)];
    const mean = first.map((value, p) => (value + second[p]!) / 2);
    expect(distance(of([a!, b!]), mean).largest).toBeLessThanOrEqual(1e-6);
    expect(of(b!)).toEqual(net.attribute(PHOTO, { method: 'layercam', size: 64 }).map.data);
  });

  it('works within a budget that leaves no room for a batch', async () => {
    const options = { smoothing: 'smoothgrad', size: 64 } as const;
    const free = net.attribute(PHOTO, options);
    const alone = net.attribute(PHOTO, { size: 64 });
    const budgetBytes = alone.bytes.weights + alone.bytes.pass;
    const kernels = await wasmKernels();
    const tight = withGradients(await loadNetwork(WEIGHTS, { kernels, budgetBytes }));
    const a = tight.attribute(PHOTO, options);
    expect(a.bytes.pass).toBeLessThanOrEqual(alone.bytes.pass);
    expect(a.attribution).toEqual(free.attribution);
  });
});

describe('wrong options of attribute', () => {
  // The compiler would refuse some of these.
  // biome-ignore lint/suspicious/noExplicitAny: what JavaScript passes
  const cases: readonly [options: any, error: string, told: RegExp][] = [
    [{ method: 'lime' }, 'ShapeError', /^method: expected gradient, .*bidicam, got lime$/],
    [{ smoothing: 'median' }, 'ShapeError', /^smoothing: expected none, smoothgrad, /],
    [
      { method: 'gradcam', smoothing: 'vargrad' },
      'ShapeError',
      /^smoothing: expected none for gradcam, got vargrad$/,
    ],
    [{ score: 'loss' }, 'ShapeError', /^score: expected logit, .* got loss$/],
    [{ reduction: 'mean' }, 'ShapeError', /^reduction: expected largest, sum, squares, got mean$/],
    [{ pooling: 'min' }, 'ShapeError', /^pooling: expected signed, average, maximum, got min$/],
    [{ fit: 'cover' }, 'ShapeError', /^fit: expected whole, crop, stretch, got cover$/],
    [{ baseline: 'black' }, 'ShapeError', /^baseline: expected zero, mean, blurred, got black$/],
    [
      { baseline: 1, method: 'integrated-gradients' },
      'TypeError',
      /^baseline: expected zero, mean, blurred or a tensor, got 1$/,
    ],
    [
      { baseline: { data: new Float32Array(12), shape: [1, 3, 2, 2] } },
      'ShapeError',
      /^attribute: baseline expected \d+×\d+, got 2×2$/,
    ],
    [{ steps: 0 }, 'ShapeError', /^attribute: steps expected a whole number ≥ 1, got 0$/],
    [{ samples: 1.5 }, 'ShapeError', /^attribute: samples expected a whole number ≥ 1, got 1.5$/],
    [{ seed: 0.5 }, 'ShapeError', /^attribute: seed expected a whole number ≥ 0, got 0.5$/],
    [{ noise: -1 }, 'ShapeError', /^noise: expected a number ≥ 0, got -1$/],
    [{ noise: Number.NaN }, 'ShapeError', /^noise: expected a number ≥ 0, got NaN$/],
    [{ target: [] }, 'ShapeError', /^target: expected at least 1 class, got none$/],
    [{ target: 1e6 }, 'ShapeError', /^target/],
    [
      { at: 'layer9' },
      'ShapeError',
      /^at: expected names of values, such as .*layer4, got layer9$/,
    ],
    [{ at: [] }, 'ShapeError', /^at: .* got none$/],
    [{ at: 3 }, 'TypeError', /^at: expected names of values, got 3$/],
    [{ size: 0 }, 'ShapeError', /^fit: size expected a whole number ≥ 1, got 0$/],
  ];
  it.each(cases)('%j', (options, error, told) => {
    expect(() => net.attribute(PHOTO, options)).toThrow(
      expect.objectContaining({ name: error, message: expect.stringMatching(told) }),
    );
  });

  it('are images that do not fit, and batches', () => {
    const data = new Float32Array(2 * 3 * 32 * 32);
    expect(() => net.attribute({ data, shape: [2, 3, 32, 32] })).toThrow(
      /^attribute: tensor expected \[1, 3, H, W\], got \[2,3,32,32\]/,
    );
    expect(() => net.attribute({ ...PHOTO, width: 91 })).toThrow(/^attribute: /);
    const nan = new Float32Array(3 * 32 * 32).fill(Number.NaN);
    expect(() => net.attribute({ data: nan, shape: [1, 3, 32, 32] })).toThrow(/has NaN at/);
  });
});

describe('attributionMap', () => {
  const options: AttributeOptions = { fit: 'crop', size: 64 };

  it('has the picture’s size or another, is in [0, 1] up to 1, and NaN where nothing was seen', () => {
    for (const method of ['gradient', 'gradcam', 'bidicam'] as const) {
      const a = net.attribute(PHOTO, { ...options, method });
      for (const size of [
        { width: 90, height: 61 },
        { width: 30, height: 20 },
      ]) {
        const { data, shape } = attributionMap(a, size);
        expect(shape).toEqual([size.height, size.width]);
        const scale = size.width / 90;
        const left = a.region.x * scale;
        const right = (a.region.x + a.region.width) * scale;
        for (const [p, value] of data.entries()) {
          const centre = (p % size.width) + 0.5;
          if (centre < left || centre > right) expect(value).toBeNaN();
          if (!Number.isNaN(value)) expect(value >= 0 && value <= 1).toBe(true);
        }
        expect(data.some(Number.isNaN)).toBe(true);
        expect(data.some((value) => value > 0.4)).toBe(true);
      }
    }
  });

  it('clips gradients at the 99th percentile, and class activation maps not at all', () => {
    const values = Float32Array.from({ length: 1000 }, (_, i) => 1e-20 * (i + 1));
    values[999] = 1;
    const a = net.attribute(PHOTO, { size: 32 });
    const whole = { x: 0, y: 0, width: 40, height: 25 };
    const given = { ...a, map: toNdArray(values, [25, 40]), region: whole, width: 40, height: 25 };
    const { data } = attributionMap(given);
    expect(data[0]).toBe(0);
    expect(data[495]).toBeCloseTo(0.5, 2);
    expect([...data.slice(989)].every((value) => value === 1)).toBe(true);
    expect(attributionMap({ ...given, method: 'gradcam' }).data).toEqual(values);
  });

  it('keeps the one pixel of a map of zeros, and a constant map is 0', () => {
    const values = new Float32Array(1000);
    const a = net.attribute(PHOTO, { size: 32 });
    const whole = { x: 0, y: 0, width: 40, height: 25 };
    const given = { ...a, map: toNdArray(values, [25, 40]), region: whole, width: 40, height: 25 };
    expect(attributionMap(given).data.every((value) => value === 0)).toBe(true);
    values[77] = 3;
    expect(attributionMap(given).data[77]).toBe(1);
    expect(() => attributionMap(given, { width: 0, height: 3 })).toThrow(/width expected a whole/);
  });
});

describe('conditionalMaps', () => {
  it('are 1e-7 for the picture itself', () => {
    const e = net.explain(PHOTO, { size: 64 });
    const { scaleMaps, combinedMap } = conditionalMaps(e, [e]);
    expect(scaleMaps.length).toBe(e.scaleMaps.length);
    for (const { data } of scaleMaps) {
      expect(data.every((value) => value === Math.fround(1e-7))).toBe(true);
    }
    expect(combinedMap.shape).toEqual([61, 90]);
  });

  it('are −Σ y log2(y/x), limited to [1e-7, 1]', () => {
    const maps = (...values: number[]) => ({
      scaleMaps: values.map((value) => toNdArray(Float32Array.of(value), [1, 1])),
      ...{ width: 1, height: 1, region: { x: 0, y: 0, width: 1, height: 1 } },
    });
    // 0.2·log2(0.9/0.2) = 0.433985; both y = 0.2 and 0.3 with x = 0.4: 0.2·1 + 0.3·log2(4/3) = 0.324511
    const one = conditionalMaps(maps(0.9), [maps(0.2)]);
    expect(one.scaleMaps[0]!.data[0]).toBeCloseTo(0.433985, 5);
    const two = conditionalMaps(maps(0.4), [maps(0.2), maps(0.3)]);
    expect(two.scaleMaps[0]!.data[0]).toBeCloseTo(0.324511, 5);
    expect(conditionalMaps(maps(0.1), [maps(0.9)]).scaleMaps[0]!.data[0]).toBeCloseTo(1e-7, 9);
    const many = Array.from({ length: 9 }, () => maps(0.3));
    expect(conditionalMaps(maps(1), many).scaleMaps[0]!.data[0]).toBe(1);
    // Eq. 3 over the scales.
    const weighted = conditionalMaps(maps(0.9, 0.4), [maps(0.2, 0.2)], [1, 3]);
    expect(weighted.combinedMap.data[0]).toBeCloseTo((0.433985 + 3 * 0.2) / 4, 5);
  });

  it('need other pictures, with maps of the same sizes', () => {
    const e = net.explain(PHOTO, { size: 64 });
    expect(() => conditionalMaps(e, [])).toThrow(/given expected at least 1, got 0/);
    const wide = net.explain(picture(128, 40), { size: 64 });
    expect(() => conditionalMaps(e, [wide])).toThrow(/map 0 of given expected \[\d+,\d+\], got/);
  });
});

describe('saliencyVector', () => {
  it('is at the peak of the combined map, and its columns have the SMOE Scale of their places', () => {
    for (const own of [net, inner]) {
      const image = own === inner ? x : PHOTO;
      const options = { fit: 'stretch', size: 64 } as const;
      const e = own.explain(image, options);
      const [H, W] = e.inputSize;
      const combined = e.resized(W, H).combinedMap.data;
      const vector = saliencyVector(own, image, options);
      expect(vector.saliency).toBe(Math.max(...combined));
      expect(combined[vector.y * W + vector.x]).toBe(vector.saliency);
      expect(vector.columns.map(({ name }) => name)).toEqual(own.scales);
      for (const [i, { x: column, y: row, values }] of vector.columns.entries()) {
        const [h, w] = e.rawMaps[i]!.shape as [number, number];
        expect([column, row]).toEqual([
          Math.floor((vector.x * w) / W),
          Math.floor((vector.y * h) / H),
        ]);
        const smoe = new Float32Array(1);
        STATISTICS.smoe.compute(smoe, values, values.length);
        const there = e.rawMaps[i]!.data[row * w + column]!;
        expect(Math.abs(smoe[0]! - there)).toBeLessThanOrEqual(1e-6 * Math.max(...values));
      }
    }
  });
});

describe('activationNames', () => {
  it('are taps, the ends of all scales among them', () => {
    const names = activationNames(net);
    expect(names).toEqual(expect.arrayContaining([...net.scales]));
    // Each of 16 blocks has three, the stem one.
    expect(names.length).toBe(49);
    const e = net.explain(PHOTO, { taps: names, size: 32 });
    expect(e.scaleNames).toEqual(names);
    expect(net.attribute(PHOTO, { method: 'bidicam', at: names, size: 32 }).map.data).not.toContain(
      Number.NaN,
    );
  });
});
