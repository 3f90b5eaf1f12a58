/** Gradients of random graphs: values with several readers, fused steps, wanted values in the middle, recomputation. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Operator } from '../../../src/model/graph/node.js';
import { activation } from '../../../src/model/graph/operators/activation.js';
import { add } from '../../../src/model/graph/operators/add.js';
import { affine } from '../../../src/model/graph/operators/affine.js';
import { arithmetic } from '../../../src/model/graph/operators/arithmetic.js';
import { concat } from '../../../src/model/graph/operators/concat.js';
import { input } from '../../../src/model/graph/operators/input.js';
import { permute } from '../../../src/model/graph/operators/permute.js';
import { maxPool, meanPool } from '../../../src/model/graph/operators/pool.js';
import { prelu } from '../../../src/model/graph/operators/prelu.js';
import { relu } from '../../../src/model/graph/operators/relu.js';
import { seed } from '../graph/compute.js';
import { conv, graphOf, type Row } from '../graph/graph-of.js';
import { type Checked, expectDerivative, gradientsOf } from './doubles.js';

const C = 4;
const EXTENTS = { H: 5, W: 6, C };
const AROUND = { kernel: [3, 3], stride: [1, 1], pads: [1, 1, 1, 1] } as const;

/** Operators that keep the extents, of one value or two. @param layer key of weights that no other node has */
const KINDS: readonly ((layer: string) => readonly Operator[])[] = [
  () => [relu()],
  () => [activation('relu6')],
  () => [activation('silu')],
  () => [activation('leaky_relu', 0.2)],
  (layer) => [conv(layer, C, C)],
  (layer) => [affine(layer, C, [{}])],
  (layer) => [prelu(layer, layer, C)],
  () => [maxPool(AROUND)],
  () => [meanPool(AROUND)],
  () => [permute([5, 6, 2, 2], [0, 1, 3, 2], EXTENTS)],
];
const OF_TWO: readonly ((layer: string) => readonly Operator[])[] = [
  () => [add()],
  () => [arithmetic('mul')],
  (layer) => [concat(), conv(layer, 2 * C, C)],
  (layer) => [concat(), affine(`${layer}n`, 2 * C, [{}]), relu(), conv(layer, 2 * C, C)],
];

/** A graph whose nodes read any earlier values; the last ones are added up, so most of them matter. */
const anyGraph = fc
  .array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { minLength: 2, maxLength: 10 })
  .map((choices): Row[] => {
    const rows: Row[] = [['input', input(C)]];
    const values = ['input'];
    for (const [i, [kind, first, second]] of choices.entries()) {
      const all = [...KINDS, ...OF_TWO];
      const at = kind % all.length;
      // Mostly recent values, so that the graph is deep.
      const [a, b] = [first, second].map((n) => values.at(-1 - (n % Math.min(values.length, 3)))!);
      let read = at < KINDS.length ? [a!] : [a!, b!];
      for (const [k, operator] of all[at]!(`layer${i}`).entries()) {
        const name = `${i}.${k}`;
        rows.push([name, operator, ...read]);
        read = [name];
      }
      values.push(read[0]!);
    }
    rows.push(['out', add(), values.at(-1)!, values.at(-2)!]);
    return rows;
  });

/** A graph with its input's seed, and values besides the input that are wanted. */
const checked = fc
  .tuple(anyGraph, seed, fc.array(fc.nat(), { maxLength: 3 }))
  .map(([rows, from, picks]): Checked => {
    const wanted = [...new Set([0, ...picks.map((n) => n % (rows.length - 1))])];
    return { graph: graphOf(...rows), size: [5, 6], seed: from, reach: 1, wanted };
  });

describe('gradients of random graphs', () => {
  it('of the input and of values in the middle: within 1e-7 of central differences', () => {
    fc.assert(fc.property(checked, expectDerivative), { numRuns: 200 });
  });

  it('are the same bits, whatever is kept and whatever is computed again', () => {
    fc.assert(
      fc.property(checked, fc.infiniteStream(fc.boolean()), (own, kept) => {
        const keeps = own.graph.nodes.map(() => kept.next().value as boolean);
        const all = gradientsOf(own);
        const some = gradientsOf(own, { keeps: (value) => keeps[value]! });
        const none = gradientsOf(own, { keeps: () => false });
        expect(some.gradients).toEqual(all.gradients);
        expect(none.gradients).toEqual(all.gradients);
        expect(none.values).toEqual(all.values);
      }),
    );
  });

  it('are 0 for a value that the score does not depend on', () => {
    const graph = graphOf(
      ['input', input(C)],
      ['aside', relu(), 'input'],
      ['out', activation('silu'), 'input'],
    );
    const own = { graph, size: [5, 6], seed: 1, wanted: [0, 1] } as const;
    const [ofInput, aside] = gradientsOf(own).gradients;
    expect(aside!.every((value) => value === 0)).toBe(true);
    expect(ofInput!.some((value) => value !== 0)).toBe(true);
  });
});

describe('guided backpropagation', () => {
  it('passes max(gradient, 0) where a ReLU is above 0, and a ReLU6 also below 6', () => {
    for (const [operator, most] of [
      [relu(), Number.POSITIVE_INFINITY],
      [activation('relu6'), 6],
    ] as const) {
      const graph = graphOf(['input', input(C)], ['out', operator, 'input']);
      const own = { graph, size: [5, 6], seed: 3, reach: 9 } as const;
      const plain = gradientsOf(own);
      const guided = gradientsOf(own, { guided: true });
      const x = plain.values[0]!;
      // The score is linear, so its gradient is what passes where nothing is cut off.
      const passes = plain.gradients[0]!.map((g, i) => (x[i]! > 0 && x[i]! < most ? g : 0));
      expect(plain.gradients[0]).toEqual(passes);
      expect(guided.gradients[0]).toEqual(passes.map((g) => Math.max(g, 0)));
      expect(passes.some((g) => g < 0)).toBe(true);
    }
  });

  it('changes nothing but ReLU and ReLU6', () => {
    for (const operator of [
      activation('silu'),
      activation('leaky_relu'),
      activation('clip', -1, 1),
    ]) {
      const graph = graphOf(['input', input(C)], ['out', operator, 'input']);
      const own = { graph, size: [5, 6], seed: 4 } as const;
      expect(gradientsOf(own, { guided: true }).gradients).toEqual(gradientsOf(own).gradients);
    }
  });
});
