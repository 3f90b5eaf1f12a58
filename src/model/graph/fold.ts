/**
 * Simplifies a graph before there is any picture. A batch norm is folded into the convolution before it. A
 * flatten is folded into the linear layer after it, which becomes a convolution as large as the map.
 */

import { type Graph, type Node, usersOf, type ValueShape } from './node.js';
import { isAffine } from './operators/affine.js';
import { type Conv, conv, isConv } from './operators/conv.js';
import { isFlatten } from './operators/flatten.js';

/** @param shapes the shapes of all values, for the input that the network was trained with */
export function fold(graph: Graph, shapes: readonly ValueShape[]): Graph {
  const users = usersOf(graph);
  const nodes: Node[] = [];
  const map: number[] = [];
  for (const [i, node] of graph.nodes.entries()) {
    const { name, operator } = node;
    const inputs = node.inputs.map((value) => map[value]!);
    const only = node.inputs.length === 1 ? node.inputs[0]! : undefined;
    const before = only === undefined ? undefined : nodes[map[only]!]!.operator;
    if (only !== undefined && isAffine(operator) && isConv(before!) && users[only]!.length === 1) {
      const batchNorms = [...before.batchNorms, ...operator.batchNorms];
      nodes[map[only]!] = {
        ...nodes[map[only]!]!,
        name,
        operator: conv({ ...before, batchNorms }),
      };
      map.push(map[only]!);
    } else if (isFlatten(operator) && isFolded(graph, users[i]!, shapes[only!]!)) {
      map.push(inputs[0]!);
    } else if (isConv(operator) && only !== undefined && isFlatten(graph.nodes[only]!.operator)) {
      const flat = shapes[graph.nodes[only]!.inputs[0]!]!;
      map.push(nodes.push({ name, inputs, operator: overMap(operator, flat) }) - 1);
    } else {
      map.push(nodes.push({ name, operator, inputs }) - 1);
    }
  }
  return { ...graph, nodes, output: map[graph.output]! };
}

/** Whether a flatten changes nothing, or can be folded into the layers after it. */
function isFolded({ nodes }: Graph, users: readonly number[], { H, W }: ValueShape): boolean {
  return H * W === 1 || users.every((user) => isConv(nodes[user]!.operator));
}

/** A linear layer, as a convolution of a map that is not flattened. */
function overMap(linear: Conv, { H, W, C }: ValueShape): Conv {
  return conv({ ...linear, extents: { ...linear.extents, Cin: C, kH: H, kW: W } });
}
