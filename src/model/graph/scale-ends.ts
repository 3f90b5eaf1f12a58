/**
 * Finds where the scales of a network end, with one rule for all families, and adds the taps there.
 *
 * A *cut value* is a value that every path from the input to the output passes through. A *resolution* is a
 * spatial size of cut values, except 1×1. There is one scale for each resolution. The candidates are the cut
 * values that come after a convolution whose output has this resolution: so the last ReLU of a stage is one,
 * and the pool that begins the next stage is not. The scale ends
 *
 *   at the last candidate that is never negative;
 *   if there is none, at the last candidate that is the output of an activation function (SiLU, leaky ReLU …).
 *   There a tap counts negative values as 0.
 */

import { ShapeError } from '../../errors.js';
import { STATISTICS, type Statistic } from '../../kernels/operators.js';
import {
  type Graph,
  type Node,
  type Operator,
  rangesOf,
  usersOf,
  type ValueShape,
} from './node.js';
import { isConv } from './operators/conv.js';
import { isRelu, relu } from './operators/relu.js';
import { tap } from './operators/tap.js';

/**
 * The values where scales end, in the order of the pass. The list is empty if the rule finds none.
 *
 * @param shapes the shapes of all values
 */
export function scaleEnds(graph: Graph, shapes: readonly ValueShape[]): number[] {
  const ranges = rangesOf(graph);
  const rectified = new Map<string, number>();
  const activated = new Map<string, number>();
  for (const [i, resolution] of convolvedCuts(graph, shapes)) {
    if (ranges[i]!.nonNegative) rectified.set(resolution, i);
    if (graph.nodes[i]!.operator.isActivation) activated.set(resolution, i);
  }
  return [...new Map([...activated, ...rectified]).values()].sort((a, b) => a - b);
}

/** For networks where the rule finds no end: the last value of each resolution, which a caller may name. */
export function scaleCandidates(graph: Graph, shapes: readonly ValueShape[]): number[] {
  const last = convolvedCuts(graph, shapes).map(([i, resolution]) => [resolution, i] as const);
  return [...new Map(last).values()];
}

/** The candidates: cut values that come after a convolution of their resolution; each with its resolution. */
function convolvedCuts(graph: Graph, shapes: readonly ValueShape[]): [number, string][] {
  const convolved = new Set<string>();
  const cuts = new Set(cutValues(graph));
  return [...graph.nodes.entries()].flatMap(([i, { operator }]) => {
    const { H, W } = shapes[i]!;
    const resolution = `${H}×${W}`;
    if (isConv(operator)) convolved.add(resolution);
    const counts = cuts.has(i) && H * W > 1 && convolved.has(resolution);
    return counts ? [[i, resolution]] : [];
  });
}

/**
 * The values that every path from the input to the output passes through. For such a value, every earlier node
 * (in topological order) is one of its ancestors or a constant; so no path leads past it.
 */
export function cutValues(graph: Graph): number[] {
  const { nodes, output } = graph;
  const matters = new Set([output]);
  for (let i = output; i >= 0; i--) {
    if (matters.has(i)) for (const value of nodes[i]!.inputs) matters.add(value);
  }
  // A constant, and a value made only from constants, is on no path.
  for (const [i, { inputs }] of nodes.entries()) {
    if (i > 0 && !inputs.some((value) => matters.has(value))) matters.delete(i);
  }
  const users = usersOf(graph);
  const cuts: number[] = [];
  let furthest = 0;
  for (let i = 0; i <= output; i++) {
    if (!matters.has(i)) continue;
    if (furthest <= i) cuts.push(i);
    for (const user of users[i]!) if (matters.has(user)) furthest = Math.max(furthest, user);
  }
  return cuts;
}

/** A statistic of a value. */
export interface PlacedTap {
  /** Name of the value where the scale ends. */
  readonly name: string;
  readonly statistic: Statistic;
  /** The node of the tap. */
  readonly node: number;
}

export interface TappedGraph {
  readonly graph: Graph;
  /** Scale by scale; for each scale the statistics in the given order. */
  readonly taps: readonly PlacedTap[];
  /** The new index of each value of the graph. */
  readonly map: readonly number[];
}

/**
 * The graph with taps. A statistic of pre-activations reads the value before the activation. Any other reads the
 * value itself, and counts values below 0 as 0.
 *
 * @param ends the values where scales end
 * @throws {ShapeError} for a statistic of pre-activations if the scale does not end at an activation
 */
export function addTaps(
  graph: Graph,
  ends: readonly number[],
  statistics: readonly Statistic[],
): TappedGraph {
  const ranges = rangesOf(graph);
  const wanted = ends.flatMap((end) =>
    statistics.map((statistic) => {
      const { preActivation, rectifies } = STATISTICS[statistic];
      const value = preActivation ? beforeActivation(graph, end, statistic) : end;
      const clamps = !preActivation && !rectifies && !ranges[end]!.nonNegative;
      return { name: graph.nodes[end]!.name, statistic, value, clamps };
    }),
  );
  const nodes: Node[] = [];
  const map: number[] = [];
  const taps: PlacedTap[] = [];
  const push = (name: string, operator: Operator, inputs: readonly number[]): number =>
    nodes.push({ name, operator, inputs }) - 1;
  for (const [i, { name: own, operator, inputs }] of graph.nodes.entries()) {
    const moved = inputs.map((value) => map[value]!);
    map.push(push(own, operator, moved));
    for (const [order, { name, statistic, value, clamps }] of wanted.entries()) {
      if (value !== i) continue;
      const read = clamps ? push(`${name}:relu`, relu(), [map[i]!]) : map[i]!;
      const node = push(`${name}:${statistic}`, tap(statistic), [read]);
      taps[order] = { name, statistic, node };
    }
  }
  return { graph: { ...graph, nodes, output: map[graph.output]! }, taps, map };
}

function beforeActivation({ nodes }: Graph, end: number, statistic: Statistic): number {
  const { name, operator, inputs } = nodes[end]!;
  if (isRelu(operator)) return inputs[0]!;
  throw new ShapeError(
    `statistic: ${statistic} reads what lies before a ReLU, and the scale ${name} ends in ${operator.kind}: choose another, or other taps`,
  );
}
