/** Laws of the gradient methods. */

import { describe, expect, it } from 'vitest';
import { type AttributeOptions, attribute } from '../../src/attribute.js';
import { type FloatTensor, networkOf } from '../../src/explain.js';
import { ATTRIBUTION_METHODS, SMOOTHINGS } from '../../src/methods/gradients/attribution.js';
import { baselineOf } from '../../src/methods/gradients/integrated-gradients.js';
import { Passes } from '../../src/methods/gradients/passes.js';
import { noisyInputs } from '../../src/methods/gradients/smoothing.js';
import { gradientPass } from '../../src/model/gradient/pass.js';
import { scoreOf } from '../../src/model/gradient/score.js';
import type { Network, TensorSource } from '../../src/model/index.js';
import { distance } from '../compare.js';
import { loadOracle } from '../goldens.js';
import { BACKENDS, seededFloats } from '../kernels/backends.js';

const simd = await BACKENDS[1]!.make();
const { weights, x } = loadOracle('vgg-timm');
const net = networkOf(weights, { kernels: simd });
const [, C, H, W] = x.shape;

const of = (options: AttributeOptions, image: FloatTensor = x, network: Network = net) =>
  attribute(network, image, options);
const values = (options: AttributeOptions) => of(options).attribution.data;

/** The input as the network takes it, [H, W, C]. */
function columnsOf({ data }: FloatTensor): Float32Array {
  return data.map((_, i) => data[(i % C) * H * W + Math.floor(i / C)]!);
}

/** The same network with other weights. */
function changed(change: (value: number, tensor: string) => number): Network {
  const source: TensorSource = {
    ...weights,
    readInto(out, tensor, begin) {
      weights.readInto(out, tensor, begin);
      for (const [i, value] of out.entries()) out[i] = change(value, tensor);
    },
  };
  return networkOf(source, { kernels: simd });
}

describe('gradients', () => {
  it('have the classes’ sum for several, and the other sign for minus-logit', () => {
    const one = values({ target: 1 });
    const two = values({ target: 4 });
    const both = values({ target: [1, 4, 1] });
    expect(
      distance(
        both,
        one.map((value, i) => value + two[i]!),
      ).largest,
    ).toBeLessThanOrEqual(1e-6);
    expect(values({ target: 1, score: 'minus-logit' })).toEqual(one.map((value) => -value + 0));
  });

  it('times the input are input-x-gradient, bit for bit', () => {
    const input = columnsOf(x);
    const expected = values({}).map((value, i) => Math.fround(value * input[i]!));
    expect(values({ method: 'input-x-gradient' })).toEqual(expected);
  });

  it('are those of guided backpropagation, bit for bit, where no gradient is negative', () => {
    const positive = changed(Math.abs);
    const gradient = of({}, x, positive);
    const guided = of({ method: 'guided-backprop' }, x, positive);
    expect(Math.min(...gradient.attribution.data)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...gradient.map.data)).toBeGreaterThan(0);
    expect(guided.attribution.data).toEqual(gradient.attribution.data);
    expect(values({ method: 'guided-backprop' })).not.toEqual(values({}));
  });

  it('of guided backpropagation times Grad-CAM are guided Grad-CAM, bit for bit', () => {
    const guided = values({ method: 'guided-backprop' });
    const { data } = of({ method: 'gradcam' }).map;
    const expected = guided.map((value, i) => Math.fround(value * data[Math.floor(i / C)]! + 0));
    expect(values({ method: 'guided-gradcam' })).toEqual(expected);
  });

  it('become one map by the largest size, the sum of sizes, or the sum of squares', () => {
    const data = values({});
    const rows = Array.from({ length: H * W }, (_, p) => [...data.slice(p * C, (p + 1) * C)]);
    const expected = {
      largest: rows.map((row) => Math.max(...row.map(Math.abs))),
      sum: rows.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0)),
      squares: rows.map((row) => row.reduce((sum, value) => sum + value ** 2, 0)),
    };
    for (const reduction of ['largest', 'sum', 'squares'] as const) {
      expect(of({ reduction }).map.data).toEqual(Float32Array.from(expected[reduction]));
    }
    expect(of({}).map.data).toEqual(of({ reduction: 'largest' }).map.data);
    const squared = { smoothing: 'smoothgrad-squared', samples: 2 } as const;
    expect(of(squared).map.data).toEqual(of({ ...squared, reduction: 'sum' }).map.data);
  });
});

describe('integrated gradients', () => {
  const given = { data: seededFloats(C * H * W, 5), shape: x.shape };

  /** |Σ A − (score(x) − score(b))|, as a share of |score(x)| + |score(b)|. */
  function gap(baseline: 'zero' | 'mean' | FloatTensor, steps: number): number {
    const target = 7;
    const a = of({ method: 'integrated-gradients', baseline, steps, target });
    const start = typeof baseline === 'object' ? baseline : startOf(baseline);
    const [end, begin] = [a.logits, of({ target }, start).logits].map((logits) =>
      scoreOf(logits, [target], 'logit', 'softmax'),
    );
    const sum = a.attribution.data.reduce((total, value) => total + value, 0);
    return Math.abs(sum - (end! - begin!)) / (Math.abs(end!) + Math.abs(begin!));
  }

  function startOf(name: string): FloatTensor {
    if (name === 'zero') return { ...x, data: new Float32Array(C * H * W) };
    const mean = (c: number) =>
      x.data.slice(c * H * W, (c + 1) * H * W).reduce((sum, value) => sum + value, 0) / (H * W);
    const means = Array.from({ length: C }, (_, c) => mean(c));
    return { ...x, data: x.data.map((_, i) => means[Math.floor(i / (H * W))]!) };
  }

  it.each([
    ['zero', 'zero'],
    ['mean', 'mean'],
    ['a tensor', given],
  ] as const)(
    'from %s: the sum is the difference of scores within 1 % for 200 steps, and nearer than for 3',
    (_, baseline) => {
      const error = gap(baseline, 200);
      expect(error).toBeLessThanOrEqual(0.01);
      expect(error).toBeLessThan(gap(baseline, 3));
    },
  );

  it('from the picture itself are 0, and from a blurred constant picture, too', () => {
    expect(values({ method: 'integrated-gradients', baseline: x }).every((v) => v === 0)).toBe(
      true,
    );
    const constant = { ...x, data: x.data.map((_, i) => Math.floor(i / (H * W)) + 0.5) };
    const { data } = of({ method: 'integrated-gradients', baseline: 'blurred' }, constant).map;
    expect(Math.max(...data)).toBeLessThanOrEqual(1e-6);
  });

  it('begin at a picture blurred by a Gaussian of a twentieth of its short side, cut at 3 deviations', () => {
    const [h, w, sd] = [23, 31, 23 / 20];
    const data = seededFloats(h * w * 2, 6);
    const clamp = (i: number, n: number) => Math.max(0, Math.min(n - 1, i));
    const offsets = Array.from({ length: 9 }, (_, i) => i - 4);
    const expected = data.map((_, i) => {
      const [y, x, c] = [Math.floor(i / (2 * w)), Math.floor(i / 2) % w, i % 2];
      let [sum, total] = [0, 0];
      for (const dy of offsets) {
        for (const dx of offsets) {
          const weight = Math.exp(-(dy * dy + dx * dx) / (2 * sd * sd));
          sum += weight * data[(clamp(y + dy, h) * w + clamp(x + dx, w)) * 2 + c]!;
          total += weight;
        }
      }
      return sum / total;
    });
    const got = baselineOf('blurred', { data, H: h, W: w });
    expect(distance(got, expected).largest).toBeLessThanOrEqual(1e-6);
  });

  it('explain the class of the picture, not that of a step', () => {
    const { targets, logits } = of({ method: 'integrated-gradients', steps: 3 });
    expect(targets).toEqual([logits.indexOf(Math.max(...logits))]);
    const named = of({ method: 'integrated-gradients', steps: 3, target: targets });
    expect(values({ method: 'integrated-gradients', steps: 3 })).toEqual(named.attribution.data);
  });
});

describe('noisyInputs', () => {
  it('are the input and normal noise, whose deviation is the share of the input’s range', () => {
    const input = seededFloats(100_000, 9).map((value) => 3 * value);
    const next = noisyInputs(input, { smoothing: 'smoothgrad', samples: 2, noise: 0.25, seed: 4 });
    for (const noisy of [next(), next()]) {
      const squares = noisy.reduce((sum, value, i) => sum + (value - input[i]!) ** 2, 0);
      expect(Math.sqrt(squares / input.length)).toBeCloseTo(0.25 * 6, 1);
    }
  });
});

describe('smoothings', () => {
  const options = { samples: 5, noise: 0.2, seed: 11 };

  it('without noise: SmoothGrad is the gradient, SmoothGrad² its square, VarGrad 0, bit for bit', () => {
    const still = { samples: 6, noise: 0 };
    for (const method of ['gradient', 'integrated-gradients', 'guided-backprop'] as const) {
      const plain = values({ method });
      expect(values({ ...still, method, smoothing: 'smoothgrad' })).toEqual(plain);
      const squared = values({ ...still, method, smoothing: 'smoothgrad-squared' });
      if (method !== 'integrated-gradients') expect(squared).toEqual(plain.map((v) => v * v));
      const variance = values({ ...still, method, smoothing: 'vargrad' });
      expect(variance.every((value) => value === 0)).toBe(true);
    }
  });

  it.each(SMOOTHINGS.slice(1))(
    '%s: the same seed gives the same bits, another does not',
    (smoothing) => {
      expect(values({ ...options, smoothing })).toEqual(values({ ...options, smoothing }));
      expect(values({ ...options, smoothing, seed: 12 })).not.toEqual(
        values({ ...options, smoothing }),
      );
    },
  );

  it('mean square = variance + mean², within float32', () => {
    const [mean, square, variance] = SMOOTHINGS.slice(1).map((smoothing) =>
      values({ ...options, smoothing }),
    );
    const sum = mean!.map((value, i) => value ** 2 + variance![i]!);
    expect(distance(sum, square!).largest).toBeLessThanOrEqual(1e-6);
  });
});

describe.each(BACKENDS)('batches on $name', async ({ make }) => {
  const own = networkOf(weights, { kernels: await make() });

  it('give each input what it gets alone, bit for bit', () => {
    const inputs = Array.from({ length: 12 }, (_, i) => ({
      data: seededFloats(C * H * W, i + 1),
      shape: x.shape,
    }));
    const input = { data: columnsOf(inputs[0]!), H, W };
    for (const guided of [false, true]) {
      const passes = new Passes(own, input, { score: 'log-probability', targets: [2] });
      const together: Float32Array[] = [];
      passes.each(
        12,
        guided,
        (i) => columnsOf(inputs[i]!),
        (gradient) => together.push(gradient.slice()),
      );
      expect(passes.count).toBe(12);
      for (const [i, tensor] of inputs.entries()) {
        const method = guided ? 'guided-backprop' : 'gradient';
        const alone = attribute(own, tensor, { method, target: 2, score: 'log-probability' });
        expect(together[i]).toEqual(alone.attribution.data);
      }
    }
  });
});

describe('networks without a usable gradient', () => {
  const all = ATTRIBUTION_METHODS.flatMap((method) => {
    const isPlain = /cam|bidicam/.test(method) && method !== 'guided-gradcam';
    return (isPlain ? SMOOTHINGS.slice(0, 1) : SMOOTHINGS).map((smoothing) => ({
      ...{ method, smoothing, samples: 3, steps: 3 },
    }));
  });

  it('have maps of zeros if all weights are 0', () => {
    const dead = changed((value, tensor) => (/running_var/.test(tensor) ? value : 0));
    for (const options of all) {
      const { map, attribution } = of(options, x, dead);
      expect(
        map.data.every((value) => value === 0),
        options.method,
      ).toBe(true);
      expect(
        attribution.data.every((value) => value === 0),
        options.method,
      ).toBe(true);
    }
  });

  it('have maps of zeros if the probability is 1 in float32', () => {
    const sure = changed((value, tensor) => (/head/.test(tensor) ? 1e5 * value : value));
    for (const options of all) {
      const { map } = of({ ...options, score: 'probability', target: 'top', noise: 0 }, x, sure);
      expect(
        map.data.every((value) => value === 0),
        options.method,
      ).toBe(true);
    }
  });

  it('have finite maps if the gradient overflows', () => {
    const steep = changed((value, tensor) => {
      if (/bias|running_mean/.test(tensor)) return 0;
      return weights.tensors.get(tensor)!.shape.length > 1 ? 1e10 * value : 1;
    });
    const faint = { ...x, data: x.data.map((value) => 1e-37 * value) };
    const pass = gradientPass(steep, [1, H, W], { score: 'logit' });
    pass.input.set(columnsOf(faint));
    pass.run();
    expect(pass.gradients[0]!.every(Number.isFinite)).toBe(false);
    for (const options of all) {
      const { map, attribution } = of({ ...options, target: 1 }, faint, steep);
      expect(map.data.every(Number.isFinite), options.method).toBe(true);
      expect(attribution.data.every(Number.isFinite), options.method).toBe(true);
    }
  });

  it('are refused if they overflow before the classifier', () => {
    const broken = changed((value, tensor) => (/weight/.test(tensor) ? 1e30 * value : value));
    expect(() => of({}, x, broken)).toThrow(/^attribute: the network gives (NaN|-?Infinity) for/);
  });
});
