/**
 * Runs a plan in doubles, with convolutions by their formula, and compares gradients with central differences.
 *
 * Portable kernels compute in doubles and round when they store a value; on arrays of doubles nothing is rounded. So
 * what is checked is the graph of `gradient()`: its rules, kernels and the use of memory.
 */

import fc from 'fast-check';
import { expect } from 'vitest';
import type { LinearWeights } from '../../../src/kernels/gradient/index.js';
import {
  type Conv2dWeightShape,
  conv2dReference,
  isConv2d,
  type PackedVectors,
  type Step,
} from '../../../src/kernels/index.js';
import { type GradientOptions, gradient } from '../../../src/model/gradient/gradient.js';
import { backward } from '../../../src/model/gradient/rule.js';
import { isTransposed, type TransposedOperator } from '../../../src/model/gradient/rules/conv.js';
import { type Graph, type Node, shapesOf } from '../../../src/model/graph/node.js';
import { add } from '../../../src/model/graph/operators/add.js';
import { hasVectors } from '../../../src/model/graph/operators/affine.js';
import { constant } from '../../../src/model/graph/operators/constant.js';
import { isConv } from '../../../src/model/graph/operators/conv.js';
import { type Plan, plan } from '../../../src/model/graph/plan.js';

/** The layer's numbers: of a convolution `scale` is OIHW, and `shift` the bias. */
interface Layer {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
  /** Of the gradient of a linear layer. */
  readonly products?: LinearWeights['products'];
}
type Layers = ReadonlyMap<string, Layer>;

/** Pictures of a batch. */
const N = 2;

/** Numbers in [−1, 1) that depend on nothing but the seed; float32 has them exactly. */
function seededDoubles(length: number, seed: number): Float64Array {
  const random = xorshift(seed);
  return Float64Array.from({ length }, () => Math.fround(random()));
}

function xorshift(seed: number): () => number {
  let state = (seed * 2654435761) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 31 - 1;
  };
}

/** Random numbers for all layers. */
function layersOf({ nodes }: Graph, seed: number, weight: Checked['weight']): Layers {
  const layers = new Map<string, Layer>();
  for (const { operator } of nodes) {
    const own = seed + 2 * layers.size;
    if (isConv(operator)) {
      const { Cin, Cout, kH, kW, groups } = operator.extents;
      const K = (Cin * kH * kW) / groups;
      const random = seededDoubles(Cout * K, own);
      const scale = weight ? random.map((value, i) => weight(value, i % K === 0)) : random;
      layers.set(operator.layer, { scale, shift: seededDoubles(Cout, own + 1) });
    } else if (hasVectors(operator)) {
      const { channels } = operator;
      const [scale, shift] = [seededDoubles(channels, own), seededDoubles(channels, own + 1)];
      layers.set(operator.layer, { scale, shift });
    }
  }
  return layers;
}

/** The weights of a transposed convolution, OIHW, by the definition in transposed-weights.ts. */
function transposed({ transposed: { shape, arrangement } }: TransposedOperator, own: Layer): Layer {
  const { Cin, Cout, kH, kW, groups } = shape as Conv2dWeightShape;
  const [CinG, CoutG, taps] = [Cin / groups, Cout / groups, kH * kW];
  if (arrangement === 'linear') return { ...own, products: productsOf(own, Cout, taps) };
  const isFlipped = arrangement === 'flipped';
  const scale = new Float64Array(own.scale.length);
  for (let oc = 0; oc < Cout; oc++) {
    const [group, o] = [Math.floor(oc / CoutG), oc % CoutG];
    for (let ic = 0; ic < CinG; ic++) {
      for (let tap = 0; tap < taps; tap++) {
        const flipped = ((group * CinG + ic) * CoutG + o) * taps + (taps - 1 - tap);
        const column = ((group * taps + tap) * CinG + ic) * CoutG + o;
        scale[isFlipped ? flipped : column] = own.scale[(oc * CinG + ic) * taps + tap]!;
      }
    }
  }
  return { scale, shift: new Float64Array(isFlipped ? Cin : taps * Cin) };
}

/** out[n, (tap, ic)] = Σ_oc gradient[n, oc]·weight[oc, ic, tap] */
function productsOf({ scale }: Layer, Cout: number, taps: number): LinearWeights['products'] {
  const K = scale.length / Cout;
  return (out, gradient) => {
    for (let i = 0; i < out.length; i++) {
      const [n, k] = [Math.floor(i / K), i % K];
      const [tap, ic] = [Math.floor(k / (K / taps)), k % (K / taps)];
      let sum = 0;
      for (let oc = 0; oc < Cout; oc++) {
        sum += gradient[n * Cout + oc]! * scale[oc * K + ic * taps + tap]!;
      }
      out[i] = sum;
    }
  };
}

/** Runs a plan; what it keeps is the result. */
function run(made: Plan, x: Float64Array, layers: Layers): Float64Array[] {
  // Old contents of the memory must have no effect.
  const arena = new Float64Array(made.arenaBytes / 4).fill(Number.NaN);
  const views = made.buffers.map(({ offset, length }) => arena.subarray(offset, offset + length));
  views[made.input]!.set(x);
  for (const step of made.steps) runStep(step, views, layers);
  return made.kept.map(({ buffer }) => views[buffer]!.slice());
}

function runStep(step: Step, views: readonly Float64Array[], layers: Layers): void {
  const out = views[step.out]!;
  const layer = layers.get(step.weights ?? '')!;
  if (isConv2d(step)) {
    const { shape, activation, residual } = step;
    const added = residual === undefined ? undefined : floats(views[residual]!);
    const [weight, bias] = [floats(layer.scale), floats(layer.shift)];
    // A step may write its sum where the residual is; the reference reads each element before.
    conv2dReference(out, views[step.x]!, weight, bias, shape, { activation, residual: added });
    return;
  }
  if (step.op === 'renew') return;
  const inputs = step.inputs.map((input) => views[input]!);
  if (step.op === 'affine') affine(out, inputs[0]!, layer, step.numbers);
  else step.kernel(floats(out), inputs.map(floats), layer as unknown as PackedVectors);
}

/** The kernel's formula; the kernel itself rounds the product to float32. */
function affine(
  out: Float64Array,
  x: Float64Array,
  { scale, shift }: Layer,
  numbers: readonly number[],
): void {
  const [pixels, C, width, begin, least, most] = numbers as [number, number, ...number[]];
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < C; c++) {
      const at = begin! + c;
      const value = x[p * C + c]! * scale[at]! + shift[at]!;
      out[p * width! + at] = Math.min(Math.max(value, least!), most!);
    }
  }
}

/** Portable kernels take any array of numbers. */
function floats(array: Float64Array): Float32Array {
  return array as unknown as Float32Array;
}

const STEP = 1e-5;

export interface Checked {
  readonly graph: Graph;
  readonly size: readonly [H: number, W: number];
  readonly seed: number;
  /** The input is in [−reach, reach). Default 2. */
  readonly reach?: number;
  /** Values with respect to which the score is differentiated. Default: the input. */
  readonly wanted?: readonly number[];
  /** Changes the random weights of convolutions. @param isFirst of an output channel */
  readonly weight?: (value: number, isFirst: boolean) => number;
}

/** What a score r·value gives, r random; the graph's layers and its input are random as well. */
function setUp({ graph, size, seed, reach = 2, weight }: Checked) {
  const [H, W] = size;
  const plain: Graph = { ...graph, classes: 0 };
  const shapes = shapesOf(plain, H, W);
  const layers = layersOf(plain, seed, weight);
  const lengthOf = (value: number): number =>
    N * shapes[value]!.H * shapes[value]!.W * shapes[value]!.C;
  const x = seededDoubles(lengthOf(0), seed + 1000).map((value) => Math.fround(reach * value));
  const r = seededDoubles(lengthOf(plain.output), seed + 2000);
  return { plain, shapes, layers, lengthOf, x, r, H, W };
}

/** The gradients of the score, by the backward pass, and the values themselves. */
export function gradientsOf(checked: Checked, options: GradientOptions = {}) {
  const { plain, shapes, layers, x, r, H, W } = setUp(checked);
  const { wanted = [0] } = checked;
  const score = backward(shapes[plain.output]!, () => ({
    op: 'score',
    numbers: [],
    kernel: (out) => out.set(r),
  }));
  const whole = gradient(plain, shapes, score, wanted, options);
  const all = new Map(layers);
  for (const { operator } of whole.graph.nodes) {
    if (isTransposed(operator)) {
      all.set(operator.layer, transposed(operator, layers.get(operator.own)!));
    }
  }
  const kept = [...whole.gradients, ...whole.values];
  const made = plan({ graph: whole.graph, ends: [], kept }, [N, H, W]);
  const got = run(made, x, all);
  return {
    gradients: got.slice(0, wanted.length),
    values: got.slice(wanted.length),
    // What another backend needs to compute the same.
    plan: made,
    nodes: whole.graph.nodes,
    layers,
    x,
  };
}

/** The graph with a constant added to a value, for all that read it. */
function shifted({ nodes, ...rest }: Graph, value: number, H: number, W: number): Graph {
  const shape = shapesOf({ nodes }, H, W)[value]!;
  const moved: Node[] = nodes.slice(0, value + 1);
  moved.push({ name: 'δ', operator: constant('δ', 'δ', shape, false), inputs: [] });
  moved.push({ name: '+δ', operator: add(), inputs: [value, value + 1] });
  const placeOf = (old: number): number => (old >= value ? old + 2 : old);
  for (const node of nodes.slice(value + 1))
    moved.push({ ...node, inputs: node.inputs.map(placeOf) });
  return { ...rest, nodes: moved, output: placeOf(rest.output) };
}

/**
 * Compares the gradients with central differences of the score along random directions.
 *
 * With a step of 1e-5 the differences are exact to about its square, and rounding adds 1e-16/1e-5 of the score. Cases
 * with a corner within the step are left out; differences with half the step tell them.
 */
export function expectDerivative(checked: Checked): void {
  const { plain, layers, lengthOf, x, r, H, W } = setUp(checked);
  const { wanted = [0], seed } = checked;
  const { gradients } = gradientsOf(checked);
  for (const [i, value] of wanted.entries()) {
    const graph = shifted(plain, value, H, W);
    const made = plan({ graph, ends: [], kept: [graph.output] }, [N, H, W]);
    const direction = seededDoubles(lengthOf(value) / N, seed + 3000 + i);
    const scoreAt = (h: number): number => {
      const scale = direction.map((d) => h * d);
      const at = new Map([...layers, ['δ', { scale, shift: scale }]]);
      return dot(run(made, x, at)[0]!, r);
    };
    const own = scoreAt(0);
    const slope = (h: number): number => (scoreAt(h) - scoreAt(-h)) / (2 * h);
    // Of a smooth score it is proportional to h; at a corner it is constant.
    const bend = (h: number): number => (scoreAt(h) - 2 * own + scoreAt(-h)) / h;
    const terms = gradients[i]!.map((g, k) => g * direction[k % direction.length]!);
    const size = sum(terms.map(Math.abs)) + Math.abs(own);
    const expected = slope(STEP);
    const isCrossed = Math.abs(expected - slope(STEP / 2)) > 1e-8 * size;
    const isCorner = Math.abs(2 * bend(STEP / 2) - bend(STEP)) > 1e-8 * size;
    fc.pre(!isCrossed && !isCorner);
    expect(Math.abs(sum(terms) - expected)).toBeLessThanOrEqual(1e-7 * size);
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  return sum(a.map((value, i) => value * b[i]!));
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
