/**
 * Fuses several nodes into one step:
 *
 *   a convolution takes the addition and the activation function after it into its epilogue;
 *   a batch norm that was not folded takes the concatenation before it, and a function that clips (such as ReLU)
 *   after it.
 */

import { type Graph, type Node, usersOf } from './node.js';
import { isAdd } from './operators/add.js';
import { isAffine } from './operators/affine.js';
import { conv, isConv } from './operators/conv.js';

/** @returns the graph, and the new index of each value */
export function fuse(graph: Graph): { graph: Graph; map: readonly number[] } {
  const users = usersOf(graph);
  const nodes: Node[] = [];
  const map: number[] = new Array(graph.nodes.length).fill(-1);
  /** The inputs of concatenations that are fused into the node after them. */
  const concatenated = new Map<number, readonly number[]>();
  const onlyUser = (value: number): number =>
    users[value]!.length === 1 && value !== graph.output ? users[value]![0]! : -1;
  for (const [i, node] of graph.nodes.entries()) {
    // Already fused.
    if (map[i]! >= 0) continue;
    const inputs = node.inputs.flatMap((value) => concatenated.get(value) ?? map[value]!);
    const next = onlyUser(i);
    const follower = next < 0 ? undefined : graph.nodes[next]!;
    if (node.operator.kind === 'concat' && follower && isAffine(follower.operator)) {
      concatenated.set(i, inputs);
      continue;
    }
    let { operator } = node;
    let last = i;
    if (isConv(operator) && follower && isAdd(follower.operator)) {
      const other = follower.inputs[follower.inputs[0] === i ? 1 : 0]!;
      if (map[other]! >= 0) {
        operator = conv({ ...operator, residual: true });
        inputs.push(map[other]!);
        last = next;
      }
    }
    const behind = onlyUser(last);
    const { activation } = graph.nodes[behind]?.operator ?? {};
    const fused = activation && operator.withActivation?.(activation);
    if (fused) {
      operator = fused;
      map[last] = nodes.length;
      last = behind;
    }
    map[i] = nodes.length;
    map[last] = nodes.push({ name: graph.nodes[last]!.name, operator, inputs }) - 1;
  }
  return { graph: { ...graph, nodes, output: map[graph.output]! }, map };
}
