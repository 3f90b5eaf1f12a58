/** Gradients at corners, at infinite derivatives, and of infinite numbers: what PyTorch defines, and never NaN. */

import { describe, expect, it } from 'vitest';
import { transposedScratch } from '../../../src/kernels/gradient/index.js';
import {
  ACTIVATIONS,
  type ActivationName,
  type Arithmetic,
  type Kernels,
} from '../../../src/kernels/index.js';
import { gradient } from '../../../src/model/gradient/gradient.js';
import { backward } from '../../../src/model/gradient/rule.js';
import { type Operator, shapesOf } from '../../../src/model/graph/node.js';
import { activation } from '../../../src/model/graph/operators/activation.js';
import { arithmetic } from '../../../src/model/graph/operators/arithmetic.js';
import { globalMax } from '../../../src/model/graph/operators/global-max.js';
import { input } from '../../../src/model/graph/operators/input.js';
import { normalize } from '../../../src/model/graph/operators/normalize.js';
import { permute } from '../../../src/model/graph/operators/permute.js';
import { prelu } from '../../../src/model/graph/operators/prelu.js';
import { reduce } from '../../../src/model/graph/operators/reduce.js';
import { relu } from '../../../src/model/graph/operators/relu.js';
import { slice } from '../../../src/model/graph/operators/slice.js';
import { softmax } from '../../../src/model/graph/operators/softmax.js';
import { power, unary } from '../../../src/model/graph/operators/unary.js';
import { plan } from '../../../src/model/graph/plan.js';
import { BACKENDS } from '../../kernels/backends.js';
import { graphOf, type Row } from '../graph/graph-of.js';

/** ∂(Σ g·value)/∂x of a graph whose input is the column x. */
function gradientAt(kernels: Kernels, x: readonly number[], g: number[], ...rows: Row[]): number[] {
  const graph = { ...graphOf(['input', input(x.length)], ...rows), classes: 0 };
  const shapes = shapesOf(graph, 1, 1);
  const score = backward(shapes[graph.output]!, () => ({
    op: 'score',
    numbers: [],
    kernel: (out) => out.set(g),
  }));
  const whole = gradient(graph, shapes, score, [0]);
  const made = plan({ graph: whole.graph, ends: [], kept: whole.gradients }, [1, 1, 1]);
  const slopes = Float32Array.from(x, () => 0.25);
  const packed = new Map([['slopes', kernels.packVectors(slopes, slopes)]]);
  const program = kernels.bind(made.steps, made.buffers, packed);
  program.buffer(made.input).set(x);
  program.run();
  return [...program.buffer(made.kept[0]!.buffer)];
}

/** The gradient of one function, for a gradient of 1 everywhere. */
function slopesOf(kernels: Kernels, operator: Operator, ...x: number[]): number[] {
  const ones = x.map(() => 1);
  return gradientAt(kernels, x, ones, ['out', operator, 'input']);
}

describe.each(BACKENDS)('gradients at corners on $name', async ({ make }) => {
  const kernels = await make();
  // The SIMD backend gets its kernels of the backward pass.
  transposedScratch(kernels, []).release();
  const { MAX_VALUE, POSITIVE_INFINITY: Inf } = Number;

  it('ReLU, ReLU6, hard sigmoid and thresholded ReLU have 0 there', () => {
    expect(slopesOf(kernels, relu(), -1, 0, 1)).toEqual([0, 0, 1]);
    expect(slopesOf(kernels, activation('relu6'), 0, 3, 6)).toEqual([0, 1, 0]);
    expect(slopesOf(kernels, activation('hardsigmoid', 0.25, 0.5), -2, 0, 2)).toEqual([0, 0.25, 0]);
    expect(slopesOf(kernels, activation('thresholded_relu', 1), 1, 2)).toEqual([0, 1]);
  });

  it('leaky ReLU, PReLU and ELU have the slope on the left, |x| has 0', () => {
    expect(slopesOf(kernels, activation('leaky_relu', 0.25), -1, 0, 1)).toEqual([0.25, 0.25, 1]);
    expect(slopesOf(kernels, prelu('slopes', 'slopes', 3), -1, 0, 1)).toEqual([0.25, 0.25, 1]);
    expect(slopesOf(kernels, activation('elu', 0.25), 0, 1)).toEqual([0.25, 1]);
    expect(slopesOf(kernels, unary('abs'), -2, 0, 2)).toEqual([-1, 0, 1]);
  });

  it('equal numbers share the gradient of max and min; of a max pool it goes to the first', () => {
    const parts: Row[] = [
      ['a', slice({ C: [0, 3, 1] }), 'input'],
      ['b', slice({ C: [3, 3, 1] }), 'input'],
    ];
    const x = [1, 2, 3, 2, 2, 2];
    const of = (kind: Arithmetic) =>
      gradientAt(kernels, x, [1, 1, 1], ...parts, ['out', arithmetic(kind), 'a', 'b']);
    expect(of('max')).toEqual([0, 0.5, 1, 1, 0.5, 0]);
    expect(of('min')).toEqual([1, 0.5, 0, 0, 0.5, 1]);
    const largest = reduce('max', ['C']);
    expect(gradientAt(kernels, [1, 2, 2], [1], ['out', largest, 'input'])).toEqual([0, 0.5, 0.5]);
    const row: Row = ['row', permute([3], [0], { H: 1, W: 3, C: 1 }), 'input'];
    const first = gradientAt(kernels, [1, 2, 2], [1], row, ['out', globalMax(), 'row']);
    expect(first).toEqual([0, 1, 0]);
  });

  it('a gradient of 0 stays 0 where the derivative is infinite', () => {
    for (const operator of [
      ...(['sqrt', 'log', 'reciprocal'] as const).map(unary),
      ...[0.5, -1, -2].map(power),
    ]) {
      expect(gradientAt(kernels, [0, 1], [0, 0], ['out', operator, 'input'])).toEqual([0, 0]);
    }
    for (const kind of ['div', 'pow'] as const) {
      const rows: Row[] = [
        ['a', slice({ C: [0, 1, 1] }), 'input'],
        ['b', slice({ C: [1, 1, 1] }), 'input'],
        ['out', arithmetic(kind), 'a', 'b'],
      ];
      expect(gradientAt(kernels, [0, 0], [0], ...rows).map(Math.abs)).toEqual([0, 0]);
    }
  });

  it('the length of a column of zeros has the gradient 0, not 0·∞', () => {
    const rows: Row[] = [
      ['squares', unary('square'), 'input'],
      ['sum', reduce('sum', ['C']), 'squares'],
      ['out', unary('sqrt'), 'sum'],
    ];
    expect(gradientAt(kernels, [0, 0, 0], [1], ...rows)).toEqual([0, 0, 0]);
    expect(gradientAt(kernels, [3, 0, 4], [1], ...rows)).toEqual([
      Math.fround(0.6),
      0,
      Math.fround(0.8),
    ]);
  });

  it('a power has its usual derivative where the base or the exponent is 0', () => {
    const rows: Row[] = [
      ['a', slice({ C: [0, 2, 1] }), 'input'],
      ['b', slice({ C: [2, 2, 1] }), 'input'],
      ['out', arithmetic('pow'), 'a', 'b'],
    ];
    // 0² and 3⁰: ∂/∂a is b·aᵇ⁻¹, ∂/∂b is aᵇ·ln a, 0 for a = 0
    const expected = [0, 0, 0, Math.fround(Math.log(3))];
    expect(gradientAt(kernels, [0, 3, 2, 0], [1, 1], ...rows)).toEqual(expected);
    expect(slopesOf(kernels, power(0), 0, 3)).toEqual([0, 0]);
    expect(slopesOf(kernels, power(1), 0, 3)).toEqual([1, 1]);
  });

  it.each(['relu', ...Object.keys(ACTIVATIONS)])('%s is finite for any number', (name) => {
    const operator = name === 'relu' ? relu() : activation(name as ActivationName);
    const x = [0, -0, 1e-40, 1, 20, 88, 104, 1e4, 1e30, Math.fround(MAX_VALUE), Inf];
    const got = slopesOf(kernels, operator, ...x, ...x.map((value) => -value));
    expect(got.every(Number.isFinite)).toBe(true);
  });

  it('saturated softmax and constant columns give 0', () => {
    expect(gradientAt(kernels, [1e4, 0, -1e4], [1, 2, 3], ['out', softmax('C'), 'input'])).toEqual([
      0, 0, 0,
    ]);
    const logs = gradientAt(kernels, [1e4, 0], [1, 0], ['out', softmax('C', true), 'input']);
    expect(logs).toEqual([0, 0]);
    const dead = gradientAt(kernels, [2, 2], [1, 1], ['out', normalize('column', 0), 'input']);
    expect(dead).toEqual([0, 0]);
  });
});
