/** Networks whose answer is known, with the numbers of test/goldens/evaluate.py. */

import { networkOf } from '../../src/explain.js';
import { jsKernels } from '../../src/kernels/index.js';
import { adaptiveMean } from '../../src/model/graph/operators/adaptive-mean.js';
import { plainConv } from '../../src/model/graph/operators/conv.js';
import { input } from '../../src/model/graph/operators/input.js';
import { relu } from '../../src/model/graph/operators/relu.js';
import type { Graph, Operator, RecognizedNetwork, TensorSource } from '../../src/model/index.js';
import { graphOf } from '../model/graph/graph-of.js';

/** s ← 16807·s mod (2³¹ − 1), u = s/(2³¹ − 1). */
export function numbers(seed: number, length: number): Float64Array {
  let s = seed;
  return Float64Array.from({ length }, () => {
    s = (s * 16807) % 2147483647;
    return s / 2147483647;
  });
}

type Tensors = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly data: ArrayLike<number> }>
>;

/** A network of any graph and tensors. @param size of the input it is made for; default any */
export function recognized(
  graph: Graph,
  tensors: Tensors,
  size?: readonly [number, number],
): RecognizedNetwork {
  const source: TensorSource = {
    name: 'small',
    metadata: new Map(),
    tensors: new Map(
      Object.entries(tensors).map(([name, { shape }]) => [name, { dtype: 'F32', shape }]),
    ),
    readInto(out, name, begin) {
      for (let i = 0; i < out.length; i++) out[i] = tensors[name]!.data[begin + i]!;
    },
  };
  return {
    architecture: { family: 'small' },
    ...{ source, graph, activation: graph.classes === 1 ? 'sigmoid' : 'softmax' },
    ...{ warnings: [], assumed: [], taken: source.tensors.size, prefix: '' },
    ...(size && { size }),
  };
}

export const loaded = (network: RecognizedNetwork) => networkOf(network, { kernels: jsKernels() });

function convolution(
  layer: string,
  [Cout, Cin, kH, kW]: readonly [number, number, number, number],
  pad = 0,
): Operator {
  return plainConv({
    layer,
    weight: { name: `${layer}.weight`, shape: [Cout, Cin, kH, kW] },
    extents: { Cin, Cout, kH, kW, groups: 1 },
    pads: [pad, pad, pad, pad],
  });
}

/** A convolution, a ReLU, the mean of the map and a linear layer: the network of the goldens. */
export function goldenNetwork(): RecognizedNetwork {
  const [C, K, classes] = [3, 4, 5];
  const graph = graphOf(
    ['input', input(C)],
    ['conv', convolution('conv', [K, C, 3, 3], 1), 'input'],
    ['relu', relu(), 'conv'],
    ['mean', adaptiveMean(1, 1), 'relu'],
    ['fc', convolution('fc', [classes, K, 1, 1]), 'mean'],
  );
  return recognized(
    { ...graph, classes },
    {
      'conv.weight': { shape: [K, C, 3, 3], data: numbers(2, K * C * 9).map((u) => u - 0.4) },
      'fc.weight': {
        shape: [classes, K, 1, 1],
        data: numbers(3, classes * K).map((u) => 8 * (u - 0.5)),
      },
    },
  );
}

/**
 * A network of one channel whose first logit is 8 times the mean of the input in a region, and whose second is 4. With
 * one class, the logit is their difference.
 *
 * @param region [side·side], 1 where it looks
 */
export function regionNetwork(region: Float32Array, classes: 1 | 2 = 2): RecognizedNetwork {
  const side = Math.sqrt(region.length);
  const size = region.reduce((sum, value) => sum + value, 0);
  const layer = 'whole';
  const bias = classes === 1 ? [-4] : [0, 4];
  const operator = plainConv({
    layer,
    weight: { name: 'whole.weight', shape: [classes, 1, side, side] },
    extents: { Cin: 1, Cout: classes, kH: side, kW: side, groups: 1 },
    bias: 'whole.bias',
  });
  const graph = graphOf(['input', input(1)], ['whole', operator, 'input']);
  const data = [...region, ...new Array<number>(region.length).fill(0)].map((v) => (8 * v) / size);
  return recognized(
    { ...graph, classes },
    {
      'whole.weight': {
        shape: [classes, 1, side, side],
        data: data.slice(0, classes * region.length),
      },
      'whole.bias': { shape: [classes], data: bias },
    },
    [side, side],
  );
}
