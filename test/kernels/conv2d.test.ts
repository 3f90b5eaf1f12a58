import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ACTIVATIONS,
  type ActivationFunction,
  type Conv2dParameters,
  type Conv2dShape,
  conv2dReference,
  conv2dShape,
  layerWeights,
  smoeReference,
} from '../../src/kernels/index.js';
import { BACKENDS, convStep, runStep, seededFloats } from './backends.js';

const RELU: ActivationFunction = { name: 'clip', parameters: [0, Infinity] };

const DEFAULTS: Conv2dParameters = {
  N: 1,
  H: 6,
  W: 7,
  Cin: 5,
  Cout: 9,
  kH: 1,
  kW: 1,
  groups: 1,
  strideY: 1,
  strideX: 1,
  padY: 0,
  padX: 0,
};

interface Case {
  readonly shape: Conv2dShape;
  readonly x: Float32Array;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly residual: Float32Array;
}

function makeCase(parameters: Partial<Conv2dParameters>, seed = 1): Case {
  const shape = conv2dShape({ ...DEFAULTS, ...parameters });
  const { N, H, W, Cin, Cout, kH, kW, groups, Hout, Wout } = shape;
  return {
    shape,
    x: seededFloats(N * H * W * Cin, seed),
    weight: seededFloats((Cout * Cin * kH * kW) / groups, seed + 1),
    bias: seededFloats(Cout, seed + 2),
    residual: seededFloats(N * Hout * Wout * Cout, seed + 3),
  };
}

/** Largest |got − exact| over its bound, (K + 4)·2⁻²⁴·Σ|terms|: float32 sums in any order. */
function worstErrorOverBound(
  got: Float32Array,
  c: Case,
  activation: ActivationFunction | undefined,
  residual: boolean,
): number {
  const { shape, x, weight, bias } = c;
  const abs = (a: Float32Array): Float32Array => a.map(Math.abs);
  const exact = new Float64Array(got.length);
  const terms = new Float64Array(got.length);
  conv2dReference(exact, x, weight, bias, shape, {
    activation,
    residual: residual ? c.residual : undefined,
  });
  conv2dReference(terms, abs(x), abs(weight), abs(bias), shape, {
    residual: residual ? abs(c.residual) : undefined,
  });
  const K = (shape.kH * shape.kW * shape.Cin) / shape.groups;
  let worst = 0;
  for (let i = 0; i < got.length; i++) {
    worst = Math.max(worst, Math.abs(got[i]! - exact[i]!) / ((K + 4) * 2 ** -24 * terms[i]!));
  }
  return worst;
}

/** Largest |got − exact| over its bound. */
function worstOf(
  got: Float32Array,
  expected: (i: number) => readonly [exact: number, bound: number],
): number {
  return got.reduce((most, value, i) => {
    const [exact, bound] = expected(i);
    // A NaN is beyond every bound.
    const over = Math.abs(value - exact) / (bound + 2 ** -22);
    return Number.isNaN(over) ? Infinity : Math.max(most, over);
  }, 0);
}

describe.each(BACKENDS)('conv2d on $name', async ({ make }) => {
  const kernels = await make();
  // Inputs marked as coming from a ReLU may use another algorithm, which is also right for dense inputs.
  const run = (
    c: Case,
    activation?: ActivationFunction,
    residual = false,
    sparse = true,
  ): Float32Array => {
    const out = residual ? c.residual.slice() : new Float32Array(c.residual.length);
    const onto = { ...(residual && { residual: 1 }), ...(activation && { activation }) };
    const step = convStep({ shape: c.shape, sparse, ...onto });
    runStep(kernels, step, [c.x.slice(), out], layerWeights(c.weight, c.bias));
    return out;
  };
  const runWithTap = (c: Case, activation = RELU): { out: Float32Array; smoe: Float32Array } => {
    const out = new Float32Array(c.residual.length);
    const smoe = new Float32Array(out.length / c.shape.Cout);
    const step = convStep({ shape: c.shape, activation, smoe: 2, sparse: true });
    runStep(kernels, step, [c.x.slice(), out, smoe], layerWeights(c.weight, c.bias));
    return { out, smoe };
  };

  const titled: [string, Partial<Conv2dParameters>][] = [
    ['a pixel', { H: 1, W: 1 }],
    ['one channel in, one out', { Cin: 1, Cout: 1 }],
    [
      'the stem, 7×7 stride 2',
      { H: 19, W: 22, Cin: 3, kH: 7, kW: 7, strideY: 2, strideX: 2, padY: 3, padX: 3 },
    ],
    [
      'the stem over one pixel',
      { H: 1, W: 1, Cin: 3, kH: 7, kW: 7, strideY: 2, strideX: 2, padY: 3, padX: 3 },
    ],
    ['3×3 same', { kH: 3, kW: 3, padY: 1, padX: 1 }],
    [
      '3×3 same, 7×7 pixels of 16 channels',
      { H: 7, W: 7, Cin: 16, Cout: 16, kH: 3, kW: 3, padY: 1, padX: 1 },
    ],
    ['3×3 same over a row of one pixel', { H: 1, W: 9, kH: 3, kW: 3, padY: 1, padX: 1 }],
    ['3×3 without padding', { kH: 3, kW: 3 }],
    ['3×3 with more padding than it needs', { kH: 3, kW: 3, padY: 2, padX: 3 }],
    [
      '3×3 in more tiles than one block',
      { N: 2, H: 33, W: 40, Cin: 33, Cout: 6, kH: 3, kW: 3, padY: 1, padX: 1 },
    ],
    ['3×3 stride 2', { H: 8, W: 9, kH: 3, kW: 3, strideY: 2, strideX: 2, padY: 1, padX: 1 }],
    ['1×1 stride 2', { strideY: 2, strideX: 2 }],
    [
      'uneven kernel, stride and padding',
      { kH: 2, kW: 5, strideY: 3, strideX: 2, padY: 1, padX: 4 },
    ],
    ['ResNeXt groups of 4', { Cin: 16, Cout: 16, groups: 4, kH: 3, kW: 3, padY: 1, padX: 1 }],
    ['groups of 3 to 5', { Cin: 9, Cout: 15, groups: 3, kH: 3, kW: 3, padY: 1, padX: 1 }],
    ['depthwise', { Cin: 6, Cout: 6, groups: 6, kH: 3, kW: 3, padY: 1, padX: 1 }],
    ['a batch of 3', { N: 3, kH: 3, kW: 3, padY: 1, padX: 1 }],
    ['more pixels than one block', { H: 70, W: 60, Cin: 70, Cout: 5 }],
    ['more taps than pixels', { H: 3, W: 3, Cin: 300, Cout: 6, kH: 3, kW: 3, padY: 1, padX: 1 }],
    ['32 channels, from 8', { Cin: 8, Cout: 32 }],
    ['48 channels, from more than a slice', { Cin: 300, Cout: 48 }],
    ['64 and 80 channels, stride 2', { N: 2, Cin: 64, Cout: 80, strideY: 2, strideX: 2 }],
    ['more pixels of 64 channels than a block', { H: 40, W: 41, Cin: 64, Cout: 64 }],
    [
      '3×3 stride 2, 32 channels, slices that end within a tap',
      { H: 9, W: 8, Cin: 36, Cout: 32, kH: 3, kW: 3, strideY: 2, strideX: 2, padY: 1, padX: 1 },
    ],
    [
      '3×3 same, 7×7 pixels of 32 channels',
      { N: 2, H: 7, W: 7, Cin: 32, Cout: 32, kH: 3, kW: 3, padY: 1, padX: 1 },
    ],
  ];
  it.each(titled)('is within (K+4)·2⁻²⁴·Σ|terms| of the formula: %s', (_, parameters) => {
    const c = makeCase(parameters);
    expect(worstErrorOverBound(run(c), c, undefined, false)).toBeLessThanOrEqual(1);
    expect(worstErrorOverBound(run(c, RELU, true), c, RELU, true)).toBeLessThanOrEqual(1);
  });

  const isInside = (p: Conv2dParameters): boolean =>
    p.H + p.padY + p.padBottom! > p.dilationY! * (p.kH - 1) &&
    p.W + p.padX + p.padRight! > p.dilationX! * (p.kW - 1);

  it('is within the bound for any border, dilation and stride, with inputs from a ReLU or not', () => {
    const side = fc.integer({ min: 1, max: 3 });
    const extent = fc.integer({ min: 1, max: 9 });
    const parameters = fc.record({
      ...{ H: extent, W: extent, kH: side, kW: side, strideY: side, strideX: side },
      ...{ dilationY: side, dilationX: side },
      ...{ padY: fc.nat(3), padX: fc.nat(3), padBottom: fc.nat(3), padRight: fc.nat(3) },
      Cin: fc.constantFrom(1, 3, 4, 8),
      Cout: fc.constantFrom(1, 5, 8, 32, 48),
    });
    fc.assert(
      fc.property(parameters, fc.boolean(), fc.integer(), (p, sparse, seed) => {
        fc.pre(isInside({ ...DEFAULTS, ...p }));
        const c = makeCase(p, seed);
        const out = run(c, RELU, true, sparse);
        expect(worstErrorOverBound(out, c, RELU, true)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('depthwise is within the bound for any channels, border, dilation and stride', () => {
    const parameters = fc.record({
      N: fc.integer({ min: 1, max: 3 }),
      ...{ H: fc.integer({ min: 1, max: 17 }), W: fc.integer({ min: 1, max: 17 }) },
      ...{ kH: fc.constantFrom(1, 2, 3, 5, 7), kW: fc.constantFrom(1, 2, 3, 4, 5, 7) },
      ...{ strideY: fc.constantFrom(1, 1, 2, 3), strideX: fc.constantFrom(1, 1, 2, 3) },
      ...{ dilationY: fc.constantFrom(1, 1, 2), dilationX: fc.constantFrom(1, 1, 2) },
      ...{ padY: fc.nat(4), padX: fc.nat(4), padBottom: fc.nat(4), padRight: fc.nat(4) },
      Cin: fc.constantFrom(2, 3, 4, 5, 7, 8, 9, 12, 16, 33),
      times: fc.constantFrom(1, 1, 2, 3),
    });
    fc.assert(
      fc.property(parameters, fc.integer(), ({ times, ...p }, seed) => {
        const all = { ...p, Cout: times * p.Cin, groups: p.Cin };
        fc.pre(isInside(all));
        const c = makeCase(all, seed);
        expect(worstErrorOverBound(run(c), c, undefined, false)).toBeLessThanOrEqual(1);
        expect(worstErrorOverBound(run(c, RELU, true), c, RELU, true)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 200 },
    );
  });

  it('as large as the map, it equals a flatten in the order of NCHW and a linear layer', () => {
    const c = makeCase({ N: 2, H: 3, W: 4, Cin: 5, Cout: 33, kH: 3, kW: 4 });
    const out = run(c);
    for (let n = 0; n < 2; n++) {
      for (let oc = 0; oc < 33; oc++) {
        let sum = c.bias[oc]!;
        for (let ic = 0; ic < 5; ic++) {
          for (let p = 0; p < 12; p++) {
            sum += c.x[(n * 12 + p) * 5 + ic]! * c.weight[(oc * 5 + ic) * 12 + p]!;
          }
        }
        expect(out[n * 33 + oc]!).toBeCloseTo(sum, 4);
      }
    }
  });

  it('is within the bound for any share and position of zeros; for zeros alone it gives the bias', () => {
    const size = fc.record({
      W: fc.integer({ min: 1, max: 9 }),
      Cin: fc.constantFrom(4, 12, 128, 132),
      Cout: fc.constantFrom(32, 48, 96, 112),
      kH: fc.constantFrom(1, 3),
    });
    fc.assert(
      fc.property(
        size,
        fc.integer(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (s, seed, share) => {
          const c = makeCase({ ...s, kW: s.kH, padY: 1, padX: 1 }, seed);
          const zeros = seededFloats(c.x.length, seed + 9);
          c.x.forEach((_, i) => {
            if (Math.abs(zeros[i]!) < share) c.x[i] = i % 2 ? 0 : -0;
          });
          expect(worstErrorOverBound(run(c, RELU, true), c, RELU, true)).toBeLessThanOrEqual(1);
          const out = run({ ...c, x: c.x.fill(0) });
          expect(out.every((v, i) => v === c.bias[i % s.Cout])).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('is within the bound for every tail: 1 … 13 pixels, 1 … 17 channels out', () => {
    for (let W = 1; W <= 13; W++) {
      for (let Cout = 1; Cout <= 17; Cout++) {
        const c = makeCase({ H: 1, W, Cin: 3, Cout }, W * 100 + Cout);
        expect(worstErrorOverBound(run(c, RELU, true), c, RELU, true)).toBeLessThanOrEqual(1);
      }
    }
  });

  it('writes no element beyond its output', () => {
    const c = makeCase({ W: 5, Cout: 3 });
    const out = new Float32Array(c.residual.length + 32).fill(77);
    runStep(
      kernels,
      convStep({ shape: c.shape }),
      [c.x.slice(), out],
      layerWeights(c.weight, c.bias),
    );
    expect([...out.subarray(c.residual.length)]).toEqual(new Array(32).fill(77));
  });

  it('is linear in x and in w, within the rounding of its sums', () => {
    const extent = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(extent, extent, extent, extent, fc.integer(), (H, W, Cin, Cout, seed) => {
        const parameters = { H, W, Cin, Cout, kH: 3, kW: 3, padY: 1, padX: 1 };
        const a = makeCase(parameters, seed);
        const b = makeCase(parameters, seed + 77);
        const zero = new Float32Array(Cout);
        const sum = (p: Float32Array, q: Float32Array): Float32Array => p.map((v, i) => v + q[i]!);
        const inX = run({ ...a, x: sum(a.x, b.x), bias: zero });
        const inW = run({ ...a, weight: sum(a.weight, b.weight), bias: zero });
        const base = run({ ...a, bias: zero });
        const otherX = run({ ...a, x: b.x, bias: zero });
        const otherW = run({ ...a, weight: b.weight, bias: zero });
        // Each of three results has at most 9·Cin terms below 2 in size.
        const bound = 3 * (9 * Cin + 4) * 2 ** -24 * (9 * Cin * 2);
        for (let i = 0; i < base.length; i++) {
          expect(Math.abs(inX[i]! - base[i]! - otherX[i]!)).toBeLessThanOrEqual(bound);
          expect(Math.abs(inW[i]! - base[i]! - otherW[i]!)).toBeLessThanOrEqual(bound);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('taps SMOE Scale of the stored values, within float32 of the formula in double precision', () => {
    for (const parameters of [
      { H: 9, W: 5, Cout: 64 },
      { H: 3, W: 3, Cout: 7, kH: 3, kW: 3, padY: 1, padX: 1 },
      { H: 1, W: 1, Cout: 1 },
      { N: 2, H: 5, W: 5, Cin: 8, Cout: 12, groups: 4 },
      { N: 2, H: 5, W: 6, Cin: 24, Cout: 24, groups: 24, kH: 5, kW: 5, padY: 2, padX: 2 },
      { N: 2, H: 33, W: 40, Cin: 33, Cout: 6, kH: 3, kW: 3, padY: 1, padX: 1 },
      { H: 40, W: 40, Cin: 200, Cout: 33 },
      { H: 5, W: 3, Cin: 132, Cout: 48 },
      { N: 2, H: 5, W: 3, Cin: 8, Cout: 32, kH: 3, kW: 3, padY: 1, padX: 1 },
    ]) {
      const c = makeCase(parameters);
      const { out, smoe } = runWithTap(c);
      expect([...out]).toEqual([...run(c, RELU)]);
      const exact = new Float64Array(smoe.length);
      smoeReference(exact, out, c.shape.Cout);
      for (let m = 0; m < smoe.length; m++) {
        const column = out.subarray(m * c.shape.Cout, (m + 1) * c.shape.Cout);
        const mean = column.reduce((s, v) => s + v, 0) / c.shape.Cout + 1e-7;
        // 2⁻²² bits of μ for logarithms of products, 2⁻²³ of φ for storing it.
        const bound = 2 ** -22 * mean + 2 ** -23 * exact[m]!;
        expect(Math.abs(smoe[m]! - exact[m]!)).toBeLessThanOrEqual(bound);
      }
    }
  });

  const activations: readonly ActivationFunction[] = [
    { name: 'clip', parameters: [-0.5, 1] },
    { name: 'relu6', parameters: [] },
    { name: 'leaky_relu', parameters: [0.1] },
    { name: 'thresholded_relu', parameters: [0.25] },
    { name: 'hardswish', parameters: [] },
    { name: 'silu', parameters: [] },
    { name: 'sigmoid', parameters: [] },
    { name: 'gelu', parameters: [] },
    { name: 'elu', parameters: [0.7] },
  ];
  it.each<[string, Partial<Conv2dParameters>]>([
    ['1×1', {}],
    ['1×1 with tails, two items', { N: 2, H: 5, W: 3, Cin: 7, Cout: 13 }],
    ['1×1 of 32 channels', { H: 9, W: 5, Cin: 8, Cout: 32 }],
    ['3×3 of 16 channels', { N: 2, H: 7, W: 7, Cin: 16, Cout: 16, kH: 3, kW: 3, padY: 1, padX: 1 }],
    ['more pixels than a block', { H: 13, W: 21, Cin: 64, Cout: 64 }],
    ['groups', { Cin: 9, Cout: 15, groups: 3, kH: 3, kW: 3, padY: 1, padX: 1 }],
    ['depthwise', { N: 2, Cin: 9, Cout: 9, groups: 9, kH: 3, kW: 3, padY: 1, padX: 1 }],
  ])('takes any activation function, behind the residual and before the tap: %s', (_, extents) => {
    const c = makeCase(extents);
    const linear = run(c, undefined, true);
    for (const activation of activations) {
      const { name, parameters } = activation;
      const expected = Float64Array.from(linear);
      ACTIVATIONS[name](expected, expected, ...parameters);
      for (const sparse of [true, false]) {
        const out = c.residual.slice();
        const smoe = new Float32Array(out.length / c.shape.Cout);
        const step = convStep({ shape: c.shape, activation, residual: 1, smoe: 2, sparse });
        runStep(kernels, step, [c.x.slice(), out, smoe], layerWeights(c.weight, c.bias));
        // The function of the other algorithm's sum; its own error; that of the tap.
        const sumError = sparse ? 0 : 9 * c.shape.Cin * 2 ** -22;
        const worst = worstOf(out, (i) => [
          expected[i]!,
          sumError + 2 ** -20 * Math.abs(linear[i]!),
        ]);
        expect(worst, name).toBeLessThanOrEqual(1);
        const tapped = new Float64Array(smoe.length);
        smoeReference(tapped, out, c.shape.Cout);
        const worstTap = worstOf(smoe, (m) => [tapped[m]!, 2 ** -20 * (1 + tapped[m]!)]);
        expect(worstTap, name).toBeLessThanOrEqual(1);
      }
    }
  });

  it('taps activations of any size: 1e30 and 1e-30 in one column neither overflow nor vanish', () => {
    const c = makeCase({ H: 1, W: 2, Cin: 1, Cout: 40 });
    const weight = c.weight.map((_, i) => (i % 2 ? 1e30 : 1e-30));
    const { out, smoe } = runWithTap({
      ...c,
      x: new Float32Array([1, 2]),
      weight,
      bias: new Float32Array(40),
    });
    const exact = new Float64Array(2);
    smoeReference(exact, out, 40);
    expect(smoe[0]! / exact[0]!).toBeCloseTo(1, 5);
    expect(smoe[1]! / exact[1]!).toBeCloseTo(1, 5);
  });

  it.each([
    { Cin: 5, Cout: 9 },
    { Cin: 8, Cout: 32 },
    { Cin: 9, Cout: 9, groups: 9 },
  ])(
    'carries a NaN to every output that meets it, the tap included, and no other: %o',
    (channels) => {
      const c = makeCase({ ...channels, H: 1, W: 9, kH: 1, kW: 3, padX: 1 });
      c.x[4 * c.shape.Cin] = Number.NaN;
      const { out, smoe } = runWithTap(c);
      const nan = Array.from({ length: 9 }, (_, m) => Number.isNaN(out[m * c.shape.Cout]!));
      expect(nan).toEqual([false, false, false, true, true, true, false, false, false]);
      expect([...smoe].map(Number.isNaN)).toEqual(nan);
    },
  );

  it.each([
    { Cin: 20, Cout: 10 },
    { Cin: 20, Cout: 32 },
    { H: 13, Cin: 20, Cout: 32 },
    { Cin: 20, Cout: 20, groups: 20 },
  ])('gives item i of a batch the bits of item i alone: %o', (extents) => {
    const parameters = { H: 7, W: 5, kH: 3, kW: 3, padY: 1, padX: 1, ...extents };
    const batch = makeCase({ ...parameters, N: 3 });
    const { out, smoe } = runWithTap(batch);
    for (let n = 0; n < 3; n++) {
      const x = batch.x.slice((n * batch.x.length) / 3, ((n + 1) * batch.x.length) / 3);
      const alone = runWithTap({
        ...makeCase(parameters),
        ...batch,
        x,
        shape: makeCase(parameters).shape,
        residual: batch.residual.slice(0, out.length / 3),
      });
      expect([...alone.out]).toEqual([
        ...out.slice((n * out.length) / 3, ((n + 1) * out.length) / 3),
      ]);
      expect([...alone.smoe]).toEqual([
        ...smoe.slice((n * smoe.length) / 3, ((n + 1) * smoe.length) / 3),
      ]);
    }
  });

  it('taps exactly 0 for constant columns with any number of channels and any magnitude', () => {
    for (const Cout of [1, 8, 9, 64, 2048]) {
      const c = makeCase({ Cout });
      c.weight.fill(0);
      c.residual.fill(0);
      for (const value of [0, 1e-6, 0.1, 1 / 3, 77.7, 1e9, 1e20]) {
        c.bias.fill(value);
        const { out, smoe } = runWithTap(c);
        expect(new Set(out)).toEqual(new Set([Math.fround(value)]));
        expect(new Set(smoe), `${Cout} channels of ${value}`).toEqual(new Set([0]));
      }
    }
  });

  it('refuses weights and biases of a wrong length, naming both lengths', () => {
    const { shape, weight, bias } = makeCase({});
    expect(() => kernels.packConv2d(shape, layerWeights(weight.slice(1), bias))).toThrow(
      'conv2d: weight expected length 45 for [9, 5, 1, 1], got 44',
    );
    expect(() => kernels.packConv2d(shape, layerWeights(weight, bias.slice(1)))).toThrow(
      'conv2d: bias expected length 9, got 8',
    );
  });
});

describe('conv2dShape', () => {
  it.each<[Partial<Conv2dParameters>, string]>([
    [{ N: 0 }, 'N expected a whole number ≥ 1, got 0'],
    [{ H: 2.5 }, 'H expected a whole number ≥ 1, got 2.5'],
    [{ padX: -1 }, 'padX expected a whole number ≥ 0, got -1'],
    [{ groups: 2 }, '2 groups do not divide 5 → 9 channels'],
    [{ kH: 9 }, 'kernel 9×1 is larger than the padded input 6×7'],
  ])('refuses %o', (parameters, message) => {
    expect(() => conv2dShape({ ...DEFAULTS, ...parameters })).toThrow(message);
  });
});
