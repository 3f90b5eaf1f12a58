/**
 * The backward pass on every backend against the one in doubles (doubles.ts, which central differences confirm). The
 * sums are short, so float32 is exact to some 1e-6 of the largest gradient.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { transposedScratch } from '../../../src/kernels/gradient/index.js';
import {
  ACTIVATIONS,
  type ActivationName,
  type Arithmetic,
  type Kernels,
  layerWeights,
  type PackedWeights,
  type Precision,
  type UnaryName,
} from '../../../src/kernels/index.js';
import { isTransposed } from '../../../src/model/gradient/rules/conv.js';
import type { Operator } from '../../../src/model/graph/node.js';
import { activation } from '../../../src/model/graph/operators/activation.js';
import { adaptiveMean } from '../../../src/model/graph/operators/adaptive-mean.js';
import { affine, hasVectors } from '../../../src/model/graph/operators/affine.js';
import { arithmetic } from '../../../src/model/graph/operators/arithmetic.js';
import { concat } from '../../../src/model/graph/operators/concat.js';
import { isConv, plainConv } from '../../../src/model/graph/operators/conv.js';
import { flatten } from '../../../src/model/graph/operators/flatten.js';
import { input } from '../../../src/model/graph/operators/input.js';
import { lrn } from '../../../src/model/graph/operators/lrn.js';
import { mul } from '../../../src/model/graph/operators/mul.js';
import { normalize } from '../../../src/model/graph/operators/normalize.js';
import { pad } from '../../../src/model/graph/operators/pad.js';
import { permute } from '../../../src/model/graph/operators/permute.js';
import { maxPool, meanPool } from '../../../src/model/graph/operators/pool.js';
import { prelu } from '../../../src/model/graph/operators/prelu.js';
import { reduce } from '../../../src/model/graph/operators/reduce.js';
import { relu } from '../../../src/model/graph/operators/relu.js';
import { resize } from '../../../src/model/graph/operators/resize.js';
import { slice } from '../../../src/model/graph/operators/slice.js';
import { softmax } from '../../../src/model/graph/operators/softmax.js';
import { power, unary } from '../../../src/model/graph/operators/unary.js';
import { distance } from '../../compare.js';
import { BACKENDS } from '../../kernels/backends.js';
import { seed } from '../graph/compute.js';
import { graphOf, type Row } from '../graph/graph-of.js';
import { type Checked, gradientsOf } from './doubles.js';

/** Runs the plan of `gradientsOf` on a backend and compares the gradients of the input. */
function expectAsInDoubles(kernels: Kernels, checked: Checked, precision: Precision = 'f32'): void {
  const { gradients, plan, nodes, layers, x } = gradientsOf(checked);
  const packed = new Map<string, PackedWeights>();
  for (const { operator } of nodes) {
    if (!isConv(operator) && !hasVectors(operator)) continue;
    const layer = layers.get(operator.layer);
    if (!layer) continue;
    const [scale, shift] = [Float32Array.from(layer.scale), Float32Array.from(layer.shift)];
    packed.set(
      operator.layer,
      isConv(operator)
        ? kernels.packConv2d(operator.extents, { ...layerWeights(scale, shift), precision })
        : kernels.packVectors(scale, shift),
    );
  }
  const convs = nodes.map(({ operator }) => operator).filter(isTransposed);
  const scratch = transposedScratch(
    kernels,
    convs.map(({ transposed }) => transposed),
  );
  const own = [...packed.values()];
  for (const { layer, own: from, transposed } of convs) {
    packed.set(layer, scratch.weightsOf(transposed, packed.get(from)!));
  }
  const program = kernels.bind(plan.steps, plan.buffers, packed);
  program.buffer(plan.input).set(x);
  program.run();
  const got = program.buffer(plan.kept[0]!.buffer).slice();
  program.release();
  scratch.release();
  for (const weights of own) kernels.release(weights);
  const expected = gradients[0]!;
  if (expected.every((value) => value === 0)) expect(got.every((value) => value === 0)).toBe(true);
  else expect(distance(got, expected).largest).toBeLessThanOrEqual(1e-5);
}

type Extents = readonly [H: number, W: number, C: number];

/** Operators of one value, by the names of what their gradients add. */
const OF_ONE: Readonly<Record<string, (extents: Extents) => Operator>> = {
  relu: () => relu(),
  clip: () => activation('clip', -1, 0.5),
  prelu: ([, , C]) => prelu('slopes', 'slopes', C),
  affine: ([, , C]) => affine('norm', C, [{}]),
  'max pool': () => maxPool({ kernel: [3, 3], stride: [2, 2], pads: [1, 1, 1, 1] }),
  'overlapping max pool': () => maxPool({ kernel: [3, 2], stride: [1, 1], pads: [1, 0, 1, 1] }),
  'max pool in ceil mode': () =>
    maxPool({ kernel: [2, 3], stride: [2, 2], pads: [1, 1, 0, 1], ceil: true }),
  'mean pool': () => meanPool({ kernel: [3, 3], stride: [2, 2], pads: [1, 1, 1, 1] }),
  'mean pool with padding': () =>
    meanPool({ kernel: [2, 2], stride: [2, 2], pads: [1, 1, 0, 0], ceil: true }, true),
  'adaptive mean': () => adaptiveMean(2, 3),
  'global mean': () => adaptiveMean(1, 1),
  flatten: () => flatten(),
  permute: ([H, W, C]) => permute([H, W, C], [2, 0, 1], { H: C, W: H, C: W }),
  slice: ([H]) => slice({ H: [H - 1, H, -1] }),
  pad: () => pad({ top: 1, left: 2, right: 3, front: 1 }, 'edge'),
  nearest: () => resize({ H: 7, W: 4 }, 'nearest', 'asymmetric'),
  linear: () => resize({ H: 8, W: 3 }, 'linear', 'half_pixel'),
  'sum of rows': () => reduce('sum', ['H']),
  'mean of columns': () => reduce('mean', ['C']),
  largest: () => reduce('max', ['H', 'C']),
  softmax: () => softmax('C'),
  'softmax of pixels': () => softmax('HW'),
  logSoftmax: () => softmax('C', true),
  'layer norm': () => normalize('column', 0.5),
  'instance norm': ([, , C]) => normalize({ groups: C }, 0.5),
  lrn: () => lrn(5, 0.5, 0.75, 1),
  power: () => power(3),
};

const UNARY_OF_ANY: readonly UnaryName[] = ['abs', 'exp', 'erf', 'square', 'softsign'];
const KINDS: readonly Arithmetic[] = ['add', 'sub', 'mul', 'div', 'max', 'min', 'pow'];

const upTo = (max: number, min = 1) => fc.integer({ min, max });
/** Around one vector of four, and around two. */
const anyExtents = fc.tuple(upTo(7), upTo(7), fc.constantFrom(1, 3, 4, 5, 8, 9, 13));
const options = { numRuns: 12 };

describe.each(BACKENDS)(
  'backward pass on $name, within 1e-5 of the one in doubles',
  async ({ make }) => {
    const kernels = await make();

    const expectOf = ([H, W, C]: Extents, from: number, ...rows: Row[]): void => {
      const graph = graphOf(['input', input(C)], ...rows);
      expectAsInDoubles(kernels, { graph, size: [H, W], seed: from });
    };

    it.each(Object.keys(OF_ONE))('%s', (name) => {
      const property = fc.property(anyExtents, seed, (extents, from) =>
        expectOf(extents, from, ['out', OF_ONE[name]!(extents), 'input']),
      );
      fc.assert(property, options);
    });

    it.each(Object.keys(ACTIVATIONS) as ActivationName[])('%s, of numbers up to 16', (name) => {
      const property = fc.property(anyExtents, seed, ([H, W, C], from) => {
        const graph = graphOf(['input', input(C)], ['out', activation(name), 'input']);
        expectAsInDoubles(kernels, { graph, size: [H, W], seed: from, reach: 16 });
      });
      fc.assert(property, options);
    });

    it.each(UNARY_OF_ANY)('%s', (name) => {
      const property = fc.property(anyExtents, seed, (extents, from) =>
        expectOf(extents, from, ['out', unary(name), 'input']),
      );
      fc.assert(property, options);
    });

    it.each(KINDS)('%s of a map and a row', (kind) => {
      const property = fc.property(anyExtents, seed, (extents, from) =>
        expectOf(
          extents,
          from,
          ['a', unary('exp'), 'input'],
          ['gate', activation('sigmoid'), 'input'],
          ['b', reduce('mean', ['H']), 'gate'],
          ['out', arithmetic(kind), 'a', 'b'],
        ),
      );
      fc.assert(property, options);
    });

    it('factors of channels, and concatenations', () => {
      const property = fc.property(anyExtents, seed, (extents, from) =>
        expectOf(
          extents,
          from,
          ['means', adaptiveMean(1, 1), 'input'],
          ['gate', activation('sigmoid'), 'means'],
          ['scaled', mul(), 'input', 'gate'],
          ['out', concat(), 'scaled', 'input', 'scaled'],
        ),
      );
      fc.assert(property, options);
    });

    /** Numbers that the precision has exactly: eighths; for int8 shares of a row's largest, which is 1. */
    const weights: Readonly<Record<Precision, Checked['weight']>> = {
      f32: (value) => value,
      f16: (value) => Math.round(8 * value) / 8,
      int8: (value, isFirst) => (isFirst ? 1 : Math.fround(Math.round(127 * value) / 127)),
    };

    it.each(Object.keys(weights) as Precision[])(
      'convolutions of any extents, with weights kept as %s and rearranged',
      (precision) => {
        const given = fc.record({
          size: fc.tuple(upTo(9), upTo(9)),
          kernel: fc.tuple(upTo(3), upTo(3)),
          stride: upTo(2),
          dilation: upTo(2),
          pad: upTo(2, 0),
          groups: fc.constantFrom(1, 1, 2, 3, 9),
          Cin: fc.constantFrom(1, 1, 3, 4, 8, 9),
          Cout: fc.constantFrom(1, 2, 4, 5, 8, 9),
        });
        const property = fc.property(given, seed, (own, from) => {
          const { size, kernel, stride, dilation, pad: border, groups } = own;
          const room = size.map((n, axis) => n + 2 * border - dilation * (kernel[axis]! - 1));
          fc.pre(Math.min(...room) >= 1);
          const [Cin, Cout, kH, kW] = [groups * own.Cin, groups * own.Cout, ...kernel];
          const operator = plainConv({
            layer: 'conv',
            weight: { name: 'conv', shape: [Cout, own.Cin, kH, kW] },
            extents: { Cin, Cout, kH, kW, groups },
            strideY: stride,
            strideX: stride,
            dilationY: dilation,
            dilationX: dilation,
            pads: [border, border, border, border],
          });
          const graph = graphOf(['input', input(Cin)], ['out', operator, 'input']);
          const weight = weights[precision]!;
          expectAsInDoubles(kernels, { graph, size, seed: from, weight }, precision);
        });
        fc.assert(property, { numRuns: 60 });
      },
    );
  },
);
