/** The activation functions against their definitions, in decimals of 120 digits. */

import { Decimal } from 'decimal.js';
import { describe, expect, it } from 'vitest';
import {
  ACTIVATION_PARAMETERS,
  ACTIVATIONS,
  type ActivationName,
} from '../../src/kernels/index.js';
import { seededFloats } from './backends.js';

const D = Decimal.clone({ precision: 120 });
type Function = (x: Decimal, a: Decimal, b: Decimal) => Decimal;

const sigmoid = (x: Decimal): Decimal => D.div(1, x.neg().exp().plus(1));
const tanh = (x: Decimal): Decimal => {
  const e = x.times(2).exp();
  return e.minus(1).div(e.plus(1));
};
const softplus = (x: Decimal): Decimal => x.exp().plus(1).ln();
const relu6 = (x: Decimal): Decimal => D.min(D.max(x, 0), 6);
const elu = (x: Decimal, alpha: Decimal): Decimal => (x.gt(0) ? x : x.exp().minus(1).times(alpha));
const PI = D.acos(-1);

/** Φ by the Taylor series of erf. Its terms grow to e^(x²/2) at most: 10⁵⁶ at x = 16. */
function normalCdf(x: Decimal): Decimal {
  const z = x.div(D.sqrt(2));
  const square = z.times(z).neg();
  let power = z;
  let sum = z;
  for (let n = 1; !power.isZero() && power.abs().gt('1e-110'); n++) {
    power = power.times(square).div(n);
    sum = sum.plus(power.div(2 * n + 1));
  }
  return sum.times(2).div(PI.sqrt()).plus(1).div(2);
}

const DEFINITIONS: Readonly<Record<ActivationName, Function>> = {
  clip: (x, least, most) => D.min(D.max(x, least), most),
  relu6,
  leaky_relu: (x, slope) => (x.gt(0) ? x : x.times(slope)),
  thresholded_relu: (x, alpha) => (x.gt(alpha) ? x : new D(0)),
  elu,
  celu: (x, alpha) => (x.gt(0) ? x : elu(x.div(alpha), alpha)),
  selu: (x) =>
    elu(x, new D('1.6732632423543772848170429916717')).times('1.0507009873554804934193349852946'),
  silu: (x) => x.times(sigmoid(x)),
  gelu: (x) => x.times(normalCdf(x)),
  gelu_tanh: (x) => {
    const u = D.sqrt(D.div(2, PI)).times(x.plus(x.pow(3).times('0.044715')));
    return x.times(tanh(u).plus(1)).div(2);
  },
  quick_gelu: (x) => x.times(sigmoid(x.times('1.702'))),
  hardswish: (x) => x.times(relu6(x.plus(3))).div(6),
  hardsigmoid: (x, alpha, beta) => D.min(D.max(alpha.times(x).plus(beta), 0), 1),
  sigmoid,
  tanh,
  softplus,
  mish: (x) => x.times(tanh(softplus(x))),
};
const NAMES = Object.keys(DEFINITIONS) as ActivationName[];

/** Of both signs: of every magnitude from the smallest subnormal to 16, and evenly within ±16. */
const SAMPLES = ((): Float32Array => {
  const seeds = seededFloats(160, 5);
  return seeds.map((u, i) =>
    i % 2 === 0 ? 16 * u : (i % 4 === 1 ? 1 : -1) * 2 ** (76.5 * u - 72.5),
  );
})();
const KINKS = Float32Array.of(-3, 3, 6, -3 + 2 ** -22, 3 - 2 ** -22, -3 - 2 ** -22, 6 + 2 ** -21);

function computed(
  name: ActivationName,
  x: Float32Array,
  parameters: readonly number[] = [],
): Float32Array {
  const out = new Float32Array(x.length).fill(7);
  ACTIVATIONS[name](out, x, ...parameters);
  return out;
}

describe('activation functions', () => {
  const others: { readonly [name in ActivationName]?: readonly (readonly number[])[] } = {
    ...{ clip: [[-1, 2.5]], thresholded_relu: [[0], [-0.3]], hardsigmoid: [[0.2, 0.5]] },
    ...{ leaky_relu: [[0.3], [2.5]], elu: [[0.3], [2.5]], celu: [[0.3], [2.5]] },
  };
  const cases = NAMES.flatMap((name) =>
    [ACTIVATION_PARAMETERS[name] ?? [], ...(others[name] ?? [])].map(
      (parameters): [string, ActivationName, readonly number[]] => [
        [name, ...parameters].join(' '),
        name,
        parameters.map((value) => (name === 'hardsigmoid' ? value : Math.fround(value))),
      ],
    ),
  );

  it.each(cases)(
    '%s is its definition within half a unit of the last place and 2⁻⁴³',
    (_, name, parameters) => {
      const x = Float32Array.of(...SAMPLES, ...KINKS);
      // Below −16 the functions with an exponential go on to the smallest subnormals.
      const far = Float32Array.of(-20.5, -60.25, -87, -95.5, -103, -104, 20.5, 88, 100);
      const all = name.includes('gelu') ? x : Float32Array.of(...x, ...far);
      const out = computed(name, all, parameters);
      for (const [i, value] of all.entries()) {
        const [a = 0, b = 0] = parameters.map((p) => (p === 1 / 6 ? D.div(1, 6) : new D(p)));
        const exact = DEFINITIONS[name](new D(value), new D(a), new D(b));
        const bound = exact
          .abs()
          .times(2 ** -24 + 2 ** -43)
          .plus(new D(2).pow(-150));
        const error = exact.minus(out[i]!).abs();
        expect(error.lte(bound), `${name}(${value}): ${out[i]}, exactly ${exact}`).toBe(true);
      }
    },
  );

  const λ = Math.fround(1.0507009873554805 * 1.6732632423543772);
  const big = Math.fround(3e38);
  it.each<[ActivationName, number[]]>([
    ['clip', [-Infinity, -big, big, Infinity]],
    ['relu6', [0, 0, 6, 6]],
    ['thresholded_relu', [0, 0, big, Infinity]],
    ['leaky_relu', [-Infinity, Math.fround(-big * 0.01), big, Infinity]],
    ['elu', [-1, -1, big, Infinity]],
    ['celu', [-1, -1, big, Infinity]],
    ['selu', [-λ, -λ, Math.fround(big * 1.0507009873554805), Infinity]],
    // −∞·0, as in PyTorch.
    ['silu', [NaN, -0, big, Infinity]],
    ['gelu', [NaN, -0, big, Infinity]],
    ['gelu_tanh', [NaN, -0, big, Infinity]],
    ['quick_gelu', [NaN, -0, big, Infinity]],
    ['hardswish', [NaN, -0, big, Infinity]],
    ['mish', [NaN, -0, big, Infinity]],
    ['hardsigmoid', [0, 0, 1, 1]],
    ['sigmoid', [0, 0, 1, 1]],
    ['tanh', [-1, -1, 1, 1]],
    ['softplus', [0, 0, big, Infinity]],
  ])('%s has its limits at −∞, −3e38, 3e38 and ∞, and keeps NaN', (name, limits) => {
    const x = Float32Array.of(-Infinity, -big, big, Infinity, NaN);
    const out = computed(name, x, ACTIVATION_PARAMETERS[name]);
    expect([...out]).toEqual([...limits, NaN]);
  });

  it.each(NAMES)('%s may overwrite its input', (name) => {
    const parameters = ACTIVATION_PARAMETERS[name] ?? [];
    const x = SAMPLES.slice();
    ACTIVATIONS[name](x, x, ...parameters);
    expect(x).toEqual(computed(name, SAMPLES, parameters));
  });
});
