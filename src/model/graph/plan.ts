/**
 * The plan of a forward pass: which step reads and writes which buffer, and the place of each buffer in memory.
 * It is made before anything is allocated. A backend executes it.
 */

import { expectWhole, oneOf, ShapeError } from '../../errors.js';
import {
  type ArenaBuffer,
  conv2dMacs,
  isConv2d,
  STATISTICS,
  type Statistic,
  type Step,
} from '../../kernels/operators.js';
import { placeBuffers } from './arena.js';
import { fuse } from './fuse.js';
import { type Graph, rangesOf, shapesOf, usersOf, type ValueShape } from './node.js';
import { isConv } from './operators/conv.js';
import { isTap } from './operators/tap.js';
import { addTaps } from './scale-ends.js';

/** A statistic of the columns at the end of a scale. */
export interface Tap {
  /** Name of the value: `relu`, `layer1` … */
  readonly name: string;
  readonly statistic: Statistic;
  /** Buffer of the map [N, H, W]. */
  readonly map: number;
  readonly C: number;
  readonly H: number;
  readonly W: number;
}

export interface Plan {
  readonly N: number;
  readonly H: number;
  readonly W: number;
  /** Channels of the input. */
  readonly channels: number;
  readonly steps: readonly Step[];
  readonly buffers: readonly ArenaBuffer[];
  /** Buffers: the input [N, H, W, channels], and the logits [N, classes] if there is a classifier. */
  readonly input: number;
  readonly logits?: number;
  /** The values that `Tappable.kept` names, in its order. */
  readonly kept: readonly KeptValue[];
  /**
   * Scale by scale, first to last; for each scale the statistics in the given order. Empty if the plan was
   * made without taps.
   */
  readonly taps: readonly Tap[];
  readonly arenaBytes: number;
  /** Multiply–accumulates of the convolutions and the classifier. */
  readonly macs: number;
  /** Operations of SMOE Scale for all taps and pictures. */
  readonly smoeOps: number;
}

/** A value that is still there after the pass: its buffer, [N, H, W, C]. */
export interface KeptValue {
  readonly buffer: number;
  readonly shape: ValueShape;
}

export interface PlanOptions {
  /** Measure at the end of each scale (default). If false, the plan is the network alone. */
  readonly taps?: boolean;
  /** The statistic to measure there, by default `smoe`; or several in one pass. */
  readonly statistic?: Statistic | readonly Statistic[];
}

/** A network from which a plan can be made. */
export interface Tappable {
  /** The folded graph. */
  readonly graph: Graph;
  /** The values where scales end. */
  readonly ends: readonly number[];
  /** Other values that are needed after the pass. No other node may be fused into them. */
  readonly kept?: readonly number[];
}

/**
 * Plans a forward pass over N pictures of H×W.
 *
 * SMOE Scale is fused into the convolution that ends a scale, and needs no step. Elsewhere it is a step that
 * reads the value once, like any other statistic. If a statistic reads the values before the ReLU, the ReLU
 * becomes a separate step: convolution, statistic, ReLU in place.
 *
 * @throws {ShapeError} if N, H or W is not a whole number ≥ 1, if the network does not accept such small
 * pictures, or if the name of a statistic is unknown
 */
export function plan(
  { graph, ends, kept: others = [] }: Tappable,
  [N, H, W]: readonly [number, number, number],
  { taps = true, statistic = 'smoe' }: PlanOptions = {},
): Plan {
  const statistics = checked([N, H, W], statistic);
  const tapped = addTaps(graph, taps ? ends : [], statistics);
  const fused = fuse(tapped.graph);
  const placeOf = (value: number): number => fused.map[tapped.map[value]!]!;
  const kept = others.map(placeOf);
  const placed = tapped.taps.map((tap) => ({ ...tap, value: fused.map[tap.node]! }));
  const draft = new Draft(
    fused.graph,
    [N, H, W],
    [...kept, fused.graph.output, ...placed.map(({ value }) => value)],
  );
  const { shapes, buffers, steps } = draft;
  const { H: h, W: w } = shapes[fused.graph.output]!;
  if (graph.classes > 0 && h * w > 1) {
    throw new ShapeError(
      `plan: an input of ${H}×${W} gives logits of ${h}×${w} places: choose the size that the network was trained with`,
    );
  }
  const made = placed.map(({ name, statistic: measured, value }): Tap => {
    const { H: height, W: width } = shapes[value]!;
    const { C } = shapes[fused.graph.nodes[value]!.inputs[0]!]!;
    return { name, statistic: measured, map: buffers[value]!, C, H: height, W: width };
  });
  const end = Math.max(...draft.places.map(({ offset, length }) => offset + length));
  return {
    N,
    H,
    W,
    channels: shapes[0]!.C,
    steps,
    buffers: draft.places,
    input: buffers[0]!,
    ...(graph.classes > 0 && { logits: buffers[fused.graph.output]! }),
    kept: kept.map((value) => ({ buffer: buffers[value]!, shape: shapes[value]! })),
    taps: made,
    arenaBytes: end * Float32Array.BYTES_PER_ELEMENT,
    macs: steps.filter(isConv2d).reduce((sum, { shape }) => sum + conv2dMacs(shape), 0),
    smoeOps: made
      .filter((tap) => tap.statistic === 'smoe')
      .reduce((sum, tap) => sum + N * smoeOps(tap), 0),
  };
}

/** The statistics as a list. @throws {ShapeError} as `plan` */
function checked(
  [N, H, W]: readonly [number, number, number],
  statistic: NonNullable<PlanOptions['statistic']>,
): readonly Statistic[] {
  expectWhole('plan', { N, H, W });
  const statistics = typeof statistic === 'string' ? [statistic] : statistic;
  for (const name of statistics) oneOf('statistic', name, Object.keys(STATISTICS));
  return statistics;
}

/** Operations of SMOE Scale for one picture at a tap, as the paper counts them (Table 6): (4C + 1)·H·W. */
export function smoeOps({ C, H, W }: Pick<Tap, 'C' | 'H' | 'W'>): number {
  return (4 * C + 1) * H * W;
}

/** Values, their buffers and steps, node by node. Time is counted in nodes. */
class Draft {
  readonly shapes: readonly ValueShape[];
  /** The buffer of each value. */
  readonly buffers: number[] = [];
  readonly steps: Step[] = [];
  readonly places: readonly ArenaBuffer[];
  readonly #graph: Graph;
  readonly #N: number;
  /** For each value, the last node that reads it. */
  readonly #lastUse: readonly number[];
  readonly #lifetimes: { length: number; first: number; last: number }[] = [];
  /** For each convolution with a fused tap, the tap. */
  readonly #fusedTaps: ReadonlyMap<number, number>;
  readonly #tapBuffers = new Map<number, number>();

  /** @param kept values that are needed after the pass */
  constructor(graph: Graph, [N, H, W]: readonly [number, number, number], kept: readonly number[]) {
    this.#graph = graph;
    this.#N = N;
    this.shapes = shapesOf(graph, H, W);
    const users = usersOf(graph);
    const end = graph.nodes.length;
    this.#lastUse = users.map((own, i) => (kept.includes(i) ? end : Math.max(i, ...own)));
    this.#fusedTaps = fusedTaps(graph);
    const ranges = rangesOf(graph);
    for (const [i, { inputs }] of graph.nodes.entries()) {
      this.#add(i, inputs.length > 0 && ranges[inputs[0]!]!.sparse);
    }
    this.places = placeBuffers(this.#lifetimes);
  }

  #add(i: number, sparse: boolean): void {
    const { operator, inputs } = this.#graph.nodes[i]!;
    const given = inputs.map((value) => this.shapes[value]!);
    const isIdentity = operator.isIdentity?.(given) === true;
    const fusedTap = this.#tapBuffers.get(i);
    const out = fusedTap ?? this.#reusedBuffer(i, isIdentity) ?? this.#newBuffer(i, i);
    this.buffers.push(out);
    if (isIdentity || fusedTap !== undefined) return;
    const shape = this.shapes[i]!;
    const buffers = inputs.map((value) => this.buffers[value]!);
    const steps = operator.steps({ N: this.#N, inputs: given, shape, buffers, out, sparse });
    const tap = this.#fusedTaps.get(i);
    if (tap === undefined) {
      this.steps.push(...steps);
    } else {
      const smoe = this.#newBuffer(tap, i);
      this.#tapBuffers.set(tap, smoe);
      this.steps.push(...steps.map((step) => ({ ...step, smoe })));
    }
  }

  /** The buffer of an input that value `i` may overwrite, or that already is value `i`. */
  #reusedBuffer(i: number, isIdentity: boolean): number | undefined {
    const { operator, inputs } = this.#graph.nodes[i]!;
    const onto = isConv(operator) && operator.residual;
    if (!onto && !isIdentity && !operator.inPlace) return undefined;
    const buffer = this.buffers[inputs[onto ? 1 : 0]!]!;
    const lifetime = this.#lifetimes[buffer]!;
    // A convolution still reads its input while it writes. A value that is broadcast is too small for the result.
    const isFree =
      lifetime.last === i &&
      lifetime.length === this.#length(i) &&
      !(onto && this.buffers[inputs[0]!] === buffer);
    if (!isIdentity && !isFree) return undefined;
    lifetime.last = Math.max(lifetime.last, this.#lastUse[i]!);
    return buffer;
  }

  #newBuffer(value: number, first: number): number {
    const length = this.#length(value);
    return this.#lifetimes.push({ length, first, last: this.#lastUse[value]! }) - 1;
  }

  #length(value: number): number {
    const { H, W, C } = this.shapes[value]!;
    return this.#N * H * W * C;
  }
}

/** The taps of SMOE Scale that the epilogue of a convolution computes: convolution → tap. */
function fusedTaps({ nodes }: Graph): Map<number, number> {
  const taps = new Map<number, number>();
  for (const [i, { operator, inputs }] of nodes.entries()) {
    const [value] = inputs;
    if (!isTap(operator) || operator.statistic !== 'smoe') continue;
    if (isConv(nodes[value!]!.operator)) taps.set(value!, i);
  }
  return taps;
}
