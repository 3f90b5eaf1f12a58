/** Gradients of every operator but the convolution against central differences in doubles, random shapes. */

import fc from 'fast-check';
import { describe, it } from 'vitest';
import {
  ACTIVATION_PARAMETERS,
  ACTIVATIONS,
  type ActivationName,
  type Arithmetic,
  type Reduction,
  UNARY,
  type UnaryName,
} from '../../../src/kernels/index.js';
import type { Operator, ValueShape } from '../../../src/model/graph/node.js';
import { activation } from '../../../src/model/graph/operators/activation.js';
import { adaptiveMean } from '../../../src/model/graph/operators/adaptive-mean.js';
import { affine } from '../../../src/model/graph/operators/affine.js';
import { arithmetic } from '../../../src/model/graph/operators/arithmetic.js';
import { concat } from '../../../src/model/graph/operators/concat.js';
import { concatAlong } from '../../../src/model/graph/operators/concat-along.js';
import { flatten } from '../../../src/model/graph/operators/flatten.js';
import { globalMax } from '../../../src/model/graph/operators/global-max.js';
import { input } from '../../../src/model/graph/operators/input.js';
import { lrn } from '../../../src/model/graph/operators/lrn.js';
import { mul } from '../../../src/model/graph/operators/mul.js';
import { normalize } from '../../../src/model/graph/operators/normalize.js';
import { pad } from '../../../src/model/graph/operators/pad.js';
import { padChannels } from '../../../src/model/graph/operators/pad-channels.js';
import { permute } from '../../../src/model/graph/operators/permute.js';
import { maxPool, meanPool } from '../../../src/model/graph/operators/pool.js';
import { prelu } from '../../../src/model/graph/operators/prelu.js';
import { reduce } from '../../../src/model/graph/operators/reduce.js';
import { relu } from '../../../src/model/graph/operators/relu.js';
import { resize } from '../../../src/model/graph/operators/resize.js';
import { slice } from '../../../src/model/graph/operators/slice.js';
import { softmax } from '../../../src/model/graph/operators/softmax.js';
import { power, unary } from '../../../src/model/graph/operators/unary.js';
import { seed } from '../graph/compute.js';
import { graphOf, type Row } from '../graph/graph-of.js';
import { expectDerivative } from './doubles.js';

const upTo = (max: number, min = 1) => fc.integer({ min, max });
const anyShape = fc.record({ H: upTo(6), W: upTo(6), C: upTo(6) });

/** The operator of an input of this shape, and of what `options` draws. */
type Make<T> = (shape: ValueShape, options: T) => Operator;

interface Inner {
  /** The input is in [−reach, reach). */
  readonly reach?: number;
  /** A function before the operator, such as eˣ where it needs numbers above 0. */
  readonly before?: Operator;
}

/** Checks an operator of one value. Extents and options that it refuses are left out. */
function expectOf<T>(make: Make<T>, options: fc.Arbitrary<T>, { reach = 2, before }: Inner = {}) {
  fc.assert(
    fc.property(anyShape, options, seed, ({ H, W, C }, drawn, from) => {
      const operator = make({ H, W, C }, drawn);
      fc.pre(accepts(operator, { H, W, C }));
      const rows: Row[] = [['input', input(C)]];
      if (before) rows.push(['before', before, 'input']);
      rows.push(['out', operator, before ? 'before' : 'input']);
      expectDerivative({ graph: graphOf(...rows), size: [H, W], seed: from, reach });
    }),
  );
}

function accepts(operator: Operator, shape: ValueShape): boolean {
  try {
    operator.shape([shape]);
    return true;
  } catch {
    return false;
  }
}

const nothing = fc.constant(undefined);

describe('gradient of functions of one element, within 1e-7 of central differences', () => {
  const parameter = fc.double({ min: 0.1, max: 2, noNaN: true });

  it.each(Object.keys(ACTIVATIONS) as ActivationName[])('%s, with its parameters', (name) => {
    const count = ACTIVATION_PARAMETERS[name]?.length ?? 0;
    const parameters = fc.array(parameter, { minLength: count, maxLength: count });
    // The bounds of `clip` come in their order.
    const make: Make<number[]> = (_, [a = 0, b = 0]) =>
      name === 'clip'
        ? activation(name, a - 1, a + b)
        : activation(name, ...[a, b].slice(0, count));
    // Beyond the corners of ReLU6 and hard swish.
    expectOf(make, parameters, { reach: 8 });
  });

  it('ReLU', () => expectOf(relu, nothing));

  it.each(Object.keys(UNARY) as UnaryName[])('%s', (name) => {
    expectOf(() => unary(name), nothing, {
      ...(['log', 'sqrt', 'reciprocal'].includes(name) && { before: unary('exp') }),
    });
  });

  it('powers of numbers above 0', () => {
    const exponents = fc.constantFrom(-2, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4);
    expectOf((_, exponent) => power(exponent), exponents, { before: unary('exp') });
  });

  it('whole powers of any number', () => {
    expectOf((_, exponent) => power(exponent), upTo(4, 0));
  });

  it('PReLU', () => expectOf(({ C }) => prelu('slopes', 'slopes', C), nothing));

  it('batch norm that is not folded, with and without a ReLU', () => {
    const clipped = { name: 'clip', parameters: [0, Number.POSITIVE_INFINITY] } as const;
    expectOf(({ C }) => affine('norm', C, [{}]), nothing);
    fc.assert(
      fc.property(anyShape, seed, ({ H, W, C }, from) => {
        const graph = graphOf(
          ['input', input(C)],
          ['norm', affine('norm', C, [{}]), 'input'],
          ['out', activation(clipped.name, ...clipped.parameters), 'norm'],
        );
        expectDerivative({ graph, size: [H, W], seed: from });
      }),
    );
  });
});

describe('gradient of what reads a neighbourhood, within 1e-7 of central differences', () => {
  const sides = fc.tuple(upTo(2, 0), upTo(2, 0), upTo(2, 0), upTo(2, 0));
  const windows = fc.record({
    kernel: fc.tuple(upTo(4), upTo(4)),
    stride: fc.tuple(upTo(3), upTo(3)),
    pads: sides,
    ceil: fc.boolean(),
  });

  it('max pool: overlapping, ceil mode, padding', () => {
    expectOf((_, attributes) => maxPool(attributes), windows);
  });

  it.each([false, true])('mean pool: overlapping, ceil mode, padding counted: %s', (includePad) => {
    expectOf((_, attributes) => meanPool(attributes, includePad), windows);
  });

  it('mean to given extents, and to one pixel', () => {
    expectOf((_, [H, W]) => adaptiveMean(H, W), fc.tuple(upTo(4), upTo(4)));
    expectOf(() => adaptiveMean(1, 1), nothing);
  });

  it('global maximum', () => expectOf(globalMax, nothing));

  it('local response normalisation', () => {
    const options = fc.tuple(upTo(6), fc.constantFrom(0.5, 0.75, 1), fc.constantFrom(1, 2));
    expectOf((_, [size, beta, bias]) => lrn(size, 0.7, beta, bias), options);
  });

  it('normalisation of columns and of groups of channels', () => {
    const over = fc.oneof(
      fc.constant('column' as const),
      upTo(6).map((groups) => ({ groups })),
    );
    expectOf((_, own) => normalize(own, 0.1), over);
  });

  it.each([false, true])('softmax over channels or pixels; logarithm: %s', (log) => {
    const axes = fc.constantFrom('C' as const, 'HW' as const);
    expectOf((_, axis) => softmax(axis, log), axes);
  });
});

describe('gradient of what moves or reduces, within 1e-7 of central differences', () => {
  const axes = fc.subarray(['H', 'W', 'C'] as const, { minLength: 1 });

  it.each<Reduction>(['sum', 'mean', 'max', 'min'])('%s along any axes', (kind) => {
    expectOf((_, reduced) => reduce(kind, reduced), axes);
  });

  it('flatten', () => expectOf(flatten, nothing));

  it('zeros for channels', () => {
    expectOf((_, [a, b]) => padChannels(a, b), fc.tuple(upTo(3, 0), upTo(3, 0)));
  });

  it('slices, also backwards and with steps', () => {
    const stretch = fc.tuple(upTo(5, 0), upTo(4), fc.constantFrom(1, 2, -1, -2));
    const stretches = fc.record({ H: stretch, W: stretch, C: stretch }, { requiredKeys: [] });
    expectOf((_, attributes) => slice(attributes), stretches);
  });

  it.each(['constant', 'reflect', 'edge'] as const)('borders: %s, and cut off', (mode) => {
    const side = fc.integer({ min: -2, max: 3 });
    const border = fc.record({
      ...{ top: side, left: side, bottom: side, right: side, front: side, back: side },
    });
    expectOf((_, sides) => pad(sides, mode, 0.7), border);
  });

  it('transposition of any rank', () => {
    const orders = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
    const make: Make<number[]> = ({ H, W, C }, order) => {
      const extents = [H, W, C % 2 === 0 ? 2 : 1, C % 2 === 0 ? C / 2 : C];
      return permute(extents, order, { H: H * W, W: 1, C });
    };
    expectOf(make, orders);
  });

  it('resizing, by every mode, coordinate and rounding; scales that are stated', () => {
    const options = fc.record({
      to: fc.record({ H: upTo(9), W: upTo(9) }),
      mode: fc.constantFrom('nearest' as const, 'linear' as const),
      coordinates: fc.constantFrom(
        ...(['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'] as const),
      ),
      nearest: fc.constantFrom(
        ...(['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const),
      ),
      scale: fc.option(fc.double({ min: 0.5, max: 2.5, noNaN: true }), { nil: undefined }),
    });
    expectOf((_, { to, mode, coordinates, nearest, scale }) => {
      const scales = scale === undefined ? {} : { scales: { H: scale, W: 1 / scale } };
      return resize(to, mode, coordinates, { nearest, ...scales });
    }, options);
  });
});

describe('gradient of operators of several values, within 1e-7 of central differences', () => {
  /** The axes of a shape that are not cut to 1: bits 1, 2, 4. */
  const thinned = ({ H, W }: ValueShape, bits: number, from: number, C: number): Operator =>
    slice({
      H: [0, bits & 1 ? 1 : H, 1],
      W: [0, bits & 2 ? 1 : W, 1],
      C: [from, bits & 4 ? 1 : C, 1],
    });

  it.each<Arithmetic>(['add', 'sub', 'mul', 'div', 'max', 'min', 'pow'])(
    '%s, either operand repeated along any axes',
    (kind) => {
      fc.assert(
        fc.property(anyShape, fc.nat(7), fc.nat(7), seed, (shape, aBits, bBits, from) => {
          const { H, W, C } = shape;
          const exp = kind === 'div' || kind === 'pow';
          const rows: Row[] = [
            ['input', input(2 * C)],
            ['a', thinned(shape, aBits, 0, C), 'input'],
            ['b', thinned(shape, bBits, C, C), 'input'],
            ['eᵃ', unary('exp'), 'a'],
            ['eᵇ', unary('exp'), 'b'],
            ['out', arithmetic(kind), ...(exp ? ['eᵃ', 'eᵇ'] : ['a', 'b'])],
          ];
          expectDerivative({ graph: graphOf(...rows), size: [H, W], seed: from });
        }),
      );
    },
  );

  it.each<Arithmetic>(['add', 'sub', 'mul', 'div', 'max', 'min'])(
    '%s of a value and itself',
    (kind) => {
      fc.assert(
        fc.property(anyShape, seed, ({ H, W, C }, from) => {
          const graph = graphOf(['input', input(C)], ['out', arithmetic(kind), 'input', 'input']);
          expectDerivative({ graph, size: [H, W], seed: from });
        }),
      );
    },
  );

  it('factors of channels, as squeeze and excitation has them', () => {
    fc.assert(
      fc.property(anyShape, seed, ({ H, W, C }, from) => {
        const graph = graphOf(
          ['input', input(C)],
          ['means', adaptiveMean(1, 1), 'input'],
          ['gate', activation('sigmoid'), 'means'],
          ['out', mul(), 'input', 'gate'],
        );
        expectDerivative({ graph, size: [H, W], seed: from });
      }),
    );
  });

  it('concatenation of channels, rows and columns; a value may come twice', () => {
    const joined = fc.constantFrom(concat(), concatAlong('H'), concatAlong('W'));
    fc.assert(
      fc.property(anyShape, joined, seed, ({ H, W, C }, operator, from) => {
        const graph = graphOf(
          ['input', input(C)],
          ['a', activation('silu'), 'input'],
          ['b', unary('square'), 'input'],
          ['out', operator, 'a', 'b', 'a'],
        );
        expectDerivative({ graph, size: [H, W], seed: from });
      }),
    );
  });
});
