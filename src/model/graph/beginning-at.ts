/** The part of a network behind a value. */

import { ShapeError } from '../../errors.js';
import { type Graph, type Node, shapesOf, type ValueShape, valueNamed } from './node.js';
import { input } from './operators/input.js';

/**
 * The part of a graph behind a value, which becomes its input; without a name, the whole graph.
 *
 * @param from name of the value
 * @param size height and width of the pictures
 * @returns the part, and the extents of its input
 * @throws {ShapeError} for an unknown name, and as `beginningAt`
 */
export function partBehind(
  whole: Graph,
  from: string | undefined,
  [H, W]: readonly [number, number],
  operation: string,
): { readonly graph: Graph; readonly input: ValueShape } {
  const first = from === undefined ? 0 : valueNamed(whole, from);
  const extents = shapesOf(whole, H, W)[first]!;
  const graph = first === 0 ? whole : beginningAt(whole, first, extents, operation);
  return { graph, input: extents };
}

/**
 * @param operation for the message
 * @throws {ShapeError} if the logits depend on the picture by another path, too
 */
function beginningAt(graph: Graph, first: number, { C }: ValueShape, operation: string): Graph {
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
