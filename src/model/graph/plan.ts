/**
 * The plan of a forward pass: which step reads and writes which buffer, and where each buffer lies. It is
 * made before anything is allocated; a backend executes it.
 */

import { expectWhole, ShapeError } from '../../errors.js';
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
  /** Of the value: `relu`, `layer1` … */
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
  /** Buffers: the input [N, H, W, channels]; logits [N, classes], where there is a classifier. */
  readonly input: number;
  readonly logits?: number;
  /** Buffer of what the classifier averages, [N, h, w, C], where it is linear in that. */
  readonly features?: number;
  readonly featureShape?: ValueShape;
  /**
   * Scale by scale, first to last, at each the statistics in the order given; empty when the plan was
   * made without taps.
   */
  readonly taps: readonly Tap[];
  readonly arenaBytes: number;
  /** Multiply–accumulates of the convolutions and the classifier. */
  readonly macs: number;
  /** Operations of SMOE Scale, all its taps and pictures. */
  readonly smoeOps: number;
}

export interface PlanOptions {
  /** Measure at the end of each scale (default). Without, the plan is the bare network. */
  readonly taps?: boolean;
  /** What is measured there: one statistic, by default `smoe`, or several in one pass. */
  readonly statistic?: Statistic | readonly Statistic[];
}

/** What a plan is made from. */
export interface Tappable {
  /** Folded. */
  readonly graph: Graph;
  /** The values where scales end. */
  readonly ends: readonly number[];
  /** The value that class activation maps are made from, where there is one. */
  readonly features?: number | undefined;
}

/**
 * Plans a forward pass over N pictures of H×W.
 *
 * SMOE Scale is fused into the convolution that ends a scale, and costs no step; elsewhere, as any other
 * statistic, it is a step that reads the value once. A statistic that wants what lies before the ReLU
 * splits that off: convolution, statistic, ReLU in place.
 *
 * @throws {ShapeError} when N, H or W is not a whole number ≥ 1, the network does not take pictures so
 * small, or a statistic has an unknown name
 */
export function plan(
  { graph, ends, features }: Tappable,
  [N, H, W]: readonly [number, number, number],
  { taps = true, statistic = 'smoe' }: PlanOptions = {},
): Plan {
  const statistics = checked([N, H, W], statistic);
  const tapped = addTaps(graph, taps ? ends : [], statistics);
  const fused = fuse(tapped.graph);
  const placeOf = (value: number): number => fused.map[tapped.map[value]!]!;
  const kept = {
    ...(graph.classes > 0 && { logits: fused.graph.output }),
    ...(features !== undefined && { features: placeOf(features) }),
  };
  const placed = tapped.taps.map((tap) => ({ ...tap, value: fused.map[tap.node]! }));
  const draft = new Draft(
    fused.graph,
    [N, H, W],
    [...Object.values(kept), fused.graph.output, ...placed.map(({ value }) => value)],
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
    ...(kept.logits !== undefined && { logits: buffers[kept.logits]! }),
    ...(kept.features !== undefined && {
      features: buffers[kept.features]!,
      featureShape: shapes[kept.features]!,
    }),
    taps: made,
    arenaBytes: end * Float32Array.BYTES_PER_ELEMENT,
    macs: steps.filter(isConv2d).reduce((sum, { shape }) => sum + conv2dMacs(shape), 0),
    smoeOps: made
      .filter((tap) => tap.statistic === 'smoe')
      .reduce((sum, tap) => sum + N * smoeOps(tap), 0),
  };
}

/** The statistics in a list. @throws {ShapeError} as `plan` */
function checked(
  [N, H, W]: readonly [number, number, number],
  statistic: NonNullable<PlanOptions['statistic']>,
): readonly Statistic[] {
  expectWhole('plan', { N, H, W });
  const statistics = typeof statistic === 'string' ? [statistic] : statistic;
  const unknown = statistics.find((name) => !Object.hasOwn(STATISTICS, name));
  if (unknown !== undefined) {
    throw new ShapeError(
      `plan: statistic expected ${Object.keys(STATISTICS).join(', ')}, got ${unknown}`,
    );
  }
  return statistics;
}

/** Operations of SMOE Scale of one picture at a tap, as the paper counts them (Table 6): (4C + 1)·H·W. */
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
  /** For each value the node that reads it last. */
  readonly #lastUse: readonly number[];
  readonly #lifetimes: { length: number; first: number; last: number }[] = [];
  /** The tap that the epilogue of a convolution takes, and its buffer. */
  readonly #fusedTaps: ReadonlyMap<number, number>;
  readonly #tapBuffers = new Map<number, number>();

  /** @param kept values that are wanted when the pass has ended */
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

  /** The buffer of an input that value `i` may overwrite, or is. */
  #reusedBuffer(i: number, isIdentity: boolean): number | undefined {
    const { operator, inputs } = this.#graph.nodes[i]!;
    const onto = isConv(operator) && operator.residual;
    if (!onto && !isIdentity && !operator.inPlace) return undefined;
    const buffer = this.buffers[inputs[onto ? 1 : 0]!]!;
    const lifetime = this.#lifetimes[buffer]!;
    // A convolution reads its input while it writes; what is broadcast to a larger value does not fit.
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

/** SMOE Scale of a convolution's value is taken by its epilogue: convolution → tap. */
function fusedTaps({ nodes }: Graph): Map<number, number> {
  const taps = new Map<number, number>();
  for (const [i, { operator, inputs }] of nodes.entries()) {
    const [value] = inputs;
    if (!isTap(operator) || operator.statistic !== 'smoe') continue;
    if (isConv(nodes[value!]!.operator)) taps.set(value!, i);
  }
  return taps;
}
