/** The part of a network behind a value. */

import { ShapeError } from '../../errors.js';
import type { Graph, Node, ValueShape } from './node.js';
import { input } from './operators/input.js';

/**
 * The part of a graph behind a value, which becomes its input.
 *
 * @param operation for the message
 * @throws {ShapeError} if the logits depend on the picture by another path, too
 */
export function beginningAt(
  graph: Graph,
  first: number,
  { C }: ValueShape,
  operation: string,
): Graph {
  const { name } = graph.nodes[first]!;
  const needed = new Set([graph.output]);
  for (let i = graph.output; i > 0; i--) {
    if (i === first || !needed.has(i)) continue;
    for (const value of graph.nodes[i]!.inputs) needed.add(value);
  }
  if (needed.has(0)) {
    throw new ShapeError(`${operation}: the logits do not depend on ${name} alone`);
  }
  const map = new Map([[first, 0]]);
  const nodes: Node[] = [{ name, operator: input(C), inputs: [] }];
  for (const [i, node] of graph.nodes.entries()) {
    if (i === first || !needed.has(i)) continue;
    const inputs = node.inputs.map((value) => map.get(value)!);
    map.set(i, nodes.push({ ...node, inputs }) - 1);
  }
  return { ...graph, nodes, output: map.get(graph.output)! };
}
