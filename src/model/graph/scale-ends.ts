/**
 * Where the scales of a network end, by a rule that knows no family; and the taps that are put there.
 *
 * A *cut value* is one that every path from the input to the output passes through. A resolution is a
 * spatial size that cut values have, 1×1 left out. At each resolution those cut values count that come after
 * a convolution whose output has it: the last ReLU of a stage, and not the pool that begins the next. The
 * scale ends at the last of them that is nowhere negative; where there is none, at the last that is the output
 * of an activation function (SiLU, leaky ReLU …), of which a tap takes what is above 0.
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
 * The values where scales end, in the order of the pass; none where the rule finds none.
 *
 * @param shapes of all values
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

/** Where the rule finds no end: the last value of each resolution that a person may name. */
export function scaleCandidates(graph: Graph, shapes: readonly ValueShape[]): number[] {
  const last = convolvedCuts(graph, shapes).map(([i, resolution]) => [resolution, i] as const);
  return [...new Map(last).values()];
}

/** The cut values that come after a convolution of their resolution, and that. */
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
 * The values that every path from the input to the output passes through. Nodes before such a value in any
 * topological order are those that it comes from, or constants: no path leads past it.
 */
function cutValues(graph: Graph): number[] {
  const { nodes, output } = graph;
  const matters = new Set([output]);
  for (let i = output; i >= 0; i--) {
    if (matters.has(i)) for (const value of nodes[i]!.inputs) matters.add(value);
  }
  // A constant, and what is made of nothing else, is on no path.
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
  /** Of the value where the scale ends. */
  readonly name: string;
  readonly statistic: Statistic;
  /** The node of the tap. */
  readonly node: number;
}

export interface TappedGraph {
  readonly graph: Graph;
  /** Scale by scale, at each the statistics in the order given. */
  readonly taps: readonly PlacedTap[];
  /** Where each value of the graph has gone. */
  readonly map: readonly number[];
}

/**
 * The graph with taps. One that reads what lies before an activation is put there; any other reads the
 * value, of which what is below 0 counts as 0.
 *
 * @param ends values
 * @throws {ShapeError} for a statistic of pre-activations where the scale does not end in an activation
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
