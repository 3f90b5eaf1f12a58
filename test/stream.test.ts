import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { resize } from '../src/image/index.js';
import {
  type ExplainOptions,
  type Explanation,
  jsKernels,
  loadNetwork,
  makeKernels,
  type Network,
  networkOf,
  type Picture,
  ShapeError,
} from '../src/index.js';
import { type FrameBuffers, type FrameStream, makeStream, mapAgreement } from '../src/stream.js';
import { overlay } from '../src/viz/index.js';
import { hashImage, hashWeights, stateDictOf } from './hash-weights.js';

const bytes = readFileSync(new URL('../models/tiny-resnet50.safetensors', import.meta.url));
const simd = await makeKernels('simd');
const net = await loadNetwork(bytes, { kernels: simd });

type AllFrameBuffers = Required<FrameBuffers>;

const MAPS = ['combinedMap', 'camMap', 'fastcamMap', 'nonClassMap'] as const;
const ALL = [
  ...(['logits', 'probabilities', 'rawMaps', 'scaleMaps', 'combinedMap'] as const),
  ...(['picture', 'overlay', 'lovi'] as const),
];

/** Frame `index` of a video: a pattern that moves. */
function frameOf(width: number, height: number, index: number, alpha = 255): Picture {
  const data = Uint8Array.from({ length: width * height * 4 }, (_, i) => {
    const p = i >> 2;
    const [x, y] = [(p % width) + 5 * index, Math.floor(p / width) + 2 * index];
    return i % 4 === 3 ? alpha : (x * 5 + y * 3 * (i % 4) + ((x ^ y) & 31) * 4) % 256;
  });
  return { data, width, height };
}

/** Everything that a stream can write. */
function allBuffers(stream: FrameStream, withClass = true): AllFrameBuffers {
  const out = stream.buffers(...ALL, ...(withClass ? MAPS : []));
  return out as AllFrameBuffers;
}

/** Makes sure that the results of a frame are those of an explanation. */
function expectSame(out: AllFrameBuffers, e: Explanation, frame: Picture): void {
  const { width, height } = e;
  const classes = e.top(e.logits.length);
  expect(out.logits).toEqual(e.logits);
  for (const { index, probability } of classes) expect(out.probabilities[index]).toBe(probability);
  expect(out.rawMaps).toEqual(e.rawMaps.map(({ data }) => data));
  expect(out.scaleMaps).toEqual(e.scaleMaps.map(({ data }) => data));
  for (const name of e.cam === 'none' ? (['combinedMap'] as const) : MAPS) {
    expect(out[name], name).toEqual(e[name].data);
  }
  const picture = { data: resize(frame, width, height, 'bilinear'), width, height };
  expect(Buffer.from(out.picture).equals(Buffer.from(picture.data)), 'picture').toBe(true);
  expect(
    Buffer.from(out.overlay).equals(Buffer.from(overlay(picture, e.combinedMap).data)),
    'overlay',
  ).toBe(true);
  expect(Buffer.from(out.lovi).equals(Buffer.from(e.lovi().data)), 'lovi').toBe(true);
}

describe.each([
  ['simd', net],
  ['js', await loadNetwork(bytes, { kernels: jsKernels() })],
] as const)('on %s, a stream gives what explain gives, bit for bit', (_, own) => {
  const cases: [string, ExplainOptions][] = [
    ['by default', {}],
    ['of a class', { target: 7, cam: 'xgradcam', scaleWeights: [0, 1, 2, 3, 4] }],
    ['of a centre crop, with smaller maps', { fit: 'crop', maps: { longSide: 31 } }],
    ['squeezed, with another normaliser', { fit: 'stretch', normalizer: 'gamma' }],
    ['of another statistic, without class maps', { statistic: 'sd', cam: 'none' }],
    ['at other values', { taps: ['layer2', 'layer4'], normalizer: 'range' }],
  ];
  it.each(cases)('%s', (_title, options) => {
    const size = { width: 61, height: 44 };
    const stream = makeStream(own, { ...size, ...options, size: 32 });
    const out = allBuffers(stream, options.cam !== 'none');
    for (const index of [0, 1, 2]) {
      const frame = frameOf(61, 44, index);
      stream.run(frame.data, out);
      // The explanation takes the network's memory: the stream takes it again.
      const e = own.explain(frame, { ...options, size: 32 });
      expectSame(out, e, frame);
      expect([stream.width, stream.height]).toEqual([e.width, e.height]);
      expect(stream.region).toEqual(e.region);
      if (e.cam !== 'none') expect(stream.target).toBe(e.target);
    }
  });
});

describe('a stream', () => {
  it('gives the same for maps of one and two rows, whose rows are kept from frame to frame', () => {
    // The last scales of an input of 64×32 have 2×1 and 4×2 places.
    for (const [width, height] of [
      [64, 32],
      [32, 64],
    ] as const) {
      const stream = makeStream(net, { width, height, size: 32 });
      const out = allBuffers(stream);
      for (const index of [0, 9]) {
        const frame = frameOf(width, height, index);
        stream.run(frame.data, out);
        expectSame(out, net.explain(frame, { size: 32 }), frame);
      }
    }
  });

  it('gives the same for a network that sees grey, one logit, and one that sees blue first', () => {
    const dict = (channels: number, classes: number) =>
      stateDictOf({ depths: [1, 1], width: 8, classes }).map(
        ([name, shape]) => [name, name === 'conv1.weight' ? [8, channels, 7, 7] : shape] as const,
      );
    const preprocessing = { channels: 'bgr', interpolation: 'bicubic' } as const;
    const bgr = networkOf(hashWeights(dict(3, 4), 3), { kernels: simd, preprocessing });
    const size = { width: 40, height: 40, size: 32 };
    const frame = frameOf(40, 40, 0);
    for (const own of [
      networkOf(hashWeights(dict(1, 5), 3), { kernels: simd }),
      networkOf(hashWeights(dict(3, 1), 3), { kernels: simd, activation: 'sigmoid' }),
      networkOf(hashWeights(dict(3, 1), 8), { kernels: simd, activation: 'sigmoid' }),
      bgr,
    ]) {
      const stream = makeStream(own, size);
      const out = allBuffers(stream);
      stream.run(frame.data, out);
      expectSame(out, own.explain(frame, { size: 32 }), frame);
    }
    // The same, said to the stream.
    const plain = networkOf(hashWeights(dict(3, 4), 3), { kernels: simd });
    const stream = makeStream(plain, { ...size, preprocessing });
    const out = allBuffers(stream);
    stream.run(frame.data, out);
    expectSame(out, bgr.explain(frame, { size: 32 }), frame);
  });

  it('shows white through transparent pixels, and takes bytes at any address', () => {
    const stream = makeStream(net, { width: 40, height: 30, size: 32 });
    const out = allBuffers(stream);
    const frame = frameOf(40, 30, 3, 90);
    const shifted = new Uint8Array(frame.data.length + 1).subarray(1);
    shifted.set(frame.data);
    stream.run(shifted, out);
    const opaque = { ...frame, data: resize(frame, 40, 30, 'bilinear') };
    expectSame(out, net.explain(frame, { size: 32 }), opaque);
    expect(shifted).toEqual(frame.data);
    // The next frame is opaque, and nothing of this one is left.
    const next = frameOf(40, 30, 4);
    stream.run(next.data, out);
    expectSame(out, net.explain(next, { size: 32 }), next);
  });

  it('is right beside another stream of the same network, and when the backend loads another', async () => {
    const kernels = await makeKernels('simd');
    const own = await loadNetwork(bytes, { kernels });
    const streams = [48, 64].map((size) => makeStream(own, { width: 50, height: 50, size }));
    const outs = streams.map((stream) => allBuffers(stream));
    for (const index of [0, 1]) {
      const frame = frameOf(50, 50, index);
      for (const [i, stream] of streams.entries()) stream.run(frame.data, outs[i]!);
      await loadNetwork(bytes, { kernels });
      for (const [i, stream] of streams.entries()) {
        stream.run(frame.data, outs[i]!);
        expectSame(outs[i]!, net.explain(frame, { size: [48, 64][i]! }), frame);
      }
    }
  });

  it('computes only what is asked for, and leaves other arrays alone', () => {
    const stream = makeStream(net, { width: 40, height: 30, size: 32 });
    const whole = allBuffers(stream);
    const frame = frameOf(40, 30, 1);
    stream.run(frame.data, whole);
    for (const name of [...ALL, ...MAPS]) {
      const out = stream.buffers(name);
      stream.run(frame.data, out);
      expect(out[name], name).toEqual(whole[name]);
    }
  });

  it('tells the time only if it has a clock', () => {
    let time = 0;
    const now = (): number => time++;
    const frame = frameOf(40, 30, 1);
    for (const clock of [{}, { now }]) {
      const stream = makeStream(net, { width: 40, height: 30, size: 32, ...clock });
      stream.run(frame.data, {});
      const each = 'now' in clock ? 1 : 0;
      expect(stream.ms).toEqual({ preprocess: each, network: each, saliency: each, drawing: each });
    }
  });
});

describe('running constants', () => {
  const size = { width: 60, height: 40, size: 32 };
  const run = (stream: FrameStream, index: number) => {
    const out = allBuffers(stream);
    const frame = frameOf(60, 40, index);
    stream.run(frame.data, out);
    return { out, frame };
  };

  it('give the maps of explain with these constants as its calibration, bit for bit', () => {
    const stream = makeStream(net, { ...size, momentum: 0.3 });
    expect(stream.calibration).toBe(undefined);
    for (const index of [0, 1, 2, 3]) {
      const { out, frame } = run(stream, index);
      const calibration = JSON.parse(JSON.stringify(stream.calibration));
      expectSame(out, net.explain(frame, { size: 32, calibration }), frame);
    }
  });

  it('are mean and deviation of all values, a frame of age t with weight α(1 − α)^t, within 1e-12', () => {
    const momentum = 0.3;
    const stream = makeStream(net, { ...size, momentum });
    const seen = [0, 1, 2, 3].map((index) => run(stream, index).out.rawMaps);
    const weights = seen.map((_, t) => (t === 0 ? 1 : momentum) * (1 - momentum) ** (3 - t));
    for (const [scale, { gaussian }] of stream.calibration!.scales.entries()) {
      const moments = seen.map((maps) => {
        const x = Float64Array.from(maps[scale]!);
        const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
        const squares = x.reduce((sum, value) => sum + (value - mean) ** 2, 0);
        return { mean, variance: squares / Math.max(1, x.length - 1) };
      });
      const sum = (term: (m: (typeof moments)[0]) => number): number =>
        moments.reduce((total, m, t) => total + weights[t]! * term(m), 0);
      const mean = sum((m) => m.mean);
      const sd = Math.sqrt(sum((m) => m.variance + (m.mean - mean) ** 2));
      expect(Math.abs(gaussian!.mean / mean - 1)).toBeLessThan(1e-12);
      expect(Math.abs(gaussian!.sd / sd - 1)).toBeLessThan(1e-12);
    }
  });

  it('with momentum 0 stay those of the first frame, or those of a calibration', () => {
    const stream = makeStream(net, { ...size, momentum: 0 });
    run(stream, 0);
    const { calibration } = stream;
    const begun = makeStream(net, { ...size, momentum: 0, calibration: calibration! });
    const fixed = makeStream(net, { ...size, calibration: calibration! });
    for (const index of [1, 2]) {
      const { out } = run(stream, index);
      expect(run(begun, index).out).toEqual(out);
      expect(run(fixed, index).out).toEqual(out);
    }
    expect(stream.calibration).toEqual(calibration);
  });

  it('give ½ where every frame was constant, and no NaN when that ends', () => {
    const stream = makeStream(net, { ...size, momentum: 0.1 });
    const out = stream.buffers('rawMaps', 'scaleMaps', 'combinedMap');
    // The last scale of 32×32 has one place: constant in each frame.
    const square = makeStream(net, { width: 32, height: 32, size: 32, momentum: 0.1 });
    const small = square.buffers('scaleMaps');
    const frame = frameOf(32, 32, 0);
    for (const _ of [1, 2]) square.run(frame.data, small);
    expect(small.scaleMaps.at(-1)).toEqual(Float32Array.of(0.5));
    square.run(frameOf(32, 32, 1).data, small);
    expect(small.scaleMaps.at(-1)![0]).not.toBe(0.5);
    stream.run(new Uint8Array(4 * 60 * 40).fill(255), out);
    stream.run(frameOf(60, 40, 1).data, out);
    for (const map of [...out.scaleMaps, out.combinedMap]) {
      expect(map.every((value) => value >= 0 && value <= 1)).toBe(true);
    }
  });
});

describe('arguments that do not fit are refused', () => {
  const size = { width: 40, height: 30, size: 32 };
  it.each([
    ['stream: width expected a whole number ≥ 1, got 0', { ...size, width: 0 }],
    ['momentum: expected 0…1, got 2', { ...size, momentum: 2 }],
    ['momentum: expected 0…1, got NaN', { ...size, momentum: Number.NaN }],
    [
      'momentum: only for the normaliser gaussian, got gamma',
      { ...size, momentum: 0.1, normalizer: 'gamma' as const },
    ],
    ['target: expected a class index', { ...size, target: 999_999 }],
    ['overlay: opacity expected 0…1, got 3', { ...size, overlay: { opacity: 3 } }],
  ])('%s', (message, options) => {
    expect(() => makeStream(net, options)).toThrow(message);
  });

  it('frames and arrays of another length, names that there are not, class maps without method', () => {
    const stream = makeStream(net, size);
    const frame = frameOf(40, 30, 0).data;
    expect(() => stream.run(frame.subarray(4), {})).toThrow(
      'stream: frame expected 4800 bytes for 40×30 RGBA, got 4796',
    );
    expect(() => stream.run(frame, { lovi: new Uint8Array(7) })).toThrow(
      'stream: lovi expected length 4800, got 7',
    );
    expect(() => stream.run(frame, { rawMaps: [] })).toThrow(
      'stream: rawMaps expected length 5, got 0',
    );
    // biome-ignore lint/suspicious/noExplicitAny: what JavaScript may give
    expect(() => stream.buffers('heat' as any)).toThrow(/stream: buffers: expected .*, got heat/);
    const without = makeStream(net, { ...size, cam: 'none' });
    for (const action of [
      () => without.buffers('camMap'),
      () => without.run(frame, { camMap: new Float32Array(1200) }),
    ]) {
      expect(action).toThrow("stream: camMap: no class activation map was asked for (cam: 'none')");
    }
  });

  it('networks that take no pictures, and class maps of a classifier that is not linear', () => {
    const dict = stateDictOf({ depths: [1, 1], width: 8, classes: 5 }).map(
      ([name, shape]) => [name, name === 'conv1.weight' ? [8, 4, 7, 7] : shape] as const,
    );
    const four = networkOf(hashWeights(dict, 3), { kernels: simd });
    expect(() => makeStream(four, size)).toThrow(
      'preprocess: the network takes 4 channels: give it a tensor, no picture',
    );
    const crooked: Network = Object.create(net, { hasLinearHead: { value: false } });
    expect(() => makeStream(crooked, { ...size, cam: 'gradcam' })).toThrow(ShapeError);
  });

  it('a network that overflows', async () => {
    const weights = hashWeights(stateDictOf({ depths: [1, 1], width: 8, classes: 5 }), 3);
    const preprocessing = { std: [1e-38, 1e-38, 1e-38] };
    const own = networkOf(weights, { kernels: simd, preprocessing });
    const stream = makeStream(own, size);
    expect(() => stream.run(frameOf(40, 30, 0).data, {})).toThrow(
      /stream: the network gives (NaN|-?Infinity) for class \d: weights too large/,
    );
  });
});

describe('mapAgreement', () => {
  it('is 1 for the same map and for any that grows with it linearly, −1 for its opposite', () => {
    const map = hashImage(5, 300).map((value) => value / 4 + 0.5);
    expect(mapAgreement(map, map)).toEqual({ correlation: 1, meanDifference: 0 });
    const { correlation, meanDifference } = mapAgreement(
      map,
      map.map((value) => value / 2 + 0.25),
    );
    expect(correlation).toBeCloseTo(1, 6);
    expect(meanDifference).toBeGreaterThan(0.05);
    const opposite = map.map((value) => 1 - value);
    expect(mapAgreement(map, opposite).correlation).toBeCloseTo(-1, 6);
  });

  it('leaves pixels out that one of them did not see, and has no correlation for a constant map', () => {
    const a = Float32Array.of(0, 1, Number.NaN, 0.5);
    const b = Float32Array.of(0.5, 1, 1, Number.NaN);
    expect(mapAgreement(a, b)).toEqual({ correlation: 1, meanDifference: 0.25 });
    expect(mapAgreement(a, new Float32Array(4)).correlation).toBe(Number.NaN);
    expect(() => mapAgreement(a, b.subarray(1))).toThrow(
      'mapAgreement: b expected length 4, got 3',
    );
  });
});
