/** Small graphs, written as rows of names. */

import type { Graph, Node, Operator } from '../../../src/model/graph/node.js';
import { plainConv } from '../../../src/model/graph/operators/conv.js';

/** name, operator, names of the inputs */
export type Row = readonly [name: string, operator: Operator, ...inputs: string[]];

/** The last row is the output: four logits. */
export function graphOf(...rows: Row[]): Graph {
  const names = rows.map(([name]) => name);
  const nodes = rows.map(
    ([name, operator, ...inputs]): Node => ({
      name,
      operator,
      inputs: inputs.map((value) => names.indexOf(value)),
    }),
  );
  return { nodes, output: nodes.length - 1, classes: 4 };
}

/** A convolution of 3×3 that keeps the size of the map, except for the stride. */
export function conv(layer: string, Cin: number, Cout: number, stride = 1): Operator {
  return plainConv({
    layer,
    weight: { name: `${layer}.weight`, shape: [Cout, Cin, 3, 3] },
    extents: { Cin, Cout, kH: 3, kW: 3, groups: 1 },
    strideY: stride,
    strideX: stride,
    pads: [1, 1, 1, 1],
  });
}
