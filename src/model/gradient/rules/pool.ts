/** Pools and global means. */

import {
  adaptiveMeanGradient,
  maxPoolGradient,
  meanPoolGradient,
} from '../../../kernels/gradient/index.js';
import { backward, type Rule, stepOf } from '../rule.js';

export const maxPoolRule: Rule = (node) => {
  const { append, gradient, inputs } = node;
  const scatter = backward(inputs[0]!, (N) => {
    const { numbers } = stepOf(node, N);
    const [, H, W, C, kH, kW, strideY, strideX, padY, padX, Hout, Wout] = numbers as Twelve;
    const shape = { N, H, W, C, kH, kW, strideY, strideX, padY, padX, Hout, Wout };
    return {
      op: 'maxPoolGradient',
      numbers,
      kernel: (y, [g, x]) => maxPoolGradient(y, g!, x!, shape),
    };
  });
  return append(scatter, [gradient, node.input(0)]);
};

export const meanPoolRule: Rule = (node) => {
  const { append, gradient, inputs } = node;
  const spread = backward(inputs[0]!, (N) => {
    const { numbers } = stepOf(node, N);
    const [, H, W, C, kH, kW, strideY, strideX, padY, padX, Hout, Wout] = numbers as Twelve;
    const [padBottom, padRight, includePad] = numbers.slice(12) as [number, number, number];
    const shape = { N, H, W, C, kH, kW, strideY, strideX, padY, padX, Hout, Wout };
    const padded = { ...shape, padBottom, padRight };
    return {
      op: 'meanPoolGradient',
      numbers,
      kernel: (y, [g]) => meanPoolGradient(y, g!, padded, includePad === 1),
    };
  });
  return append(spread, [gradient]);
};

/** Also for the global mean, whose window is the whole map. */
export const adaptiveMeanRule: Rule = (node) => {
  const { append, gradient, inputs, shape } = node;
  const { H, W, C } = inputs[0]!;
  const spread = backward(inputs[0]!, (N) => {
    const extents = [N, H, W, C, shape.H, shape.W] as const;
    const isGlobal = shape.H * shape.W === 1;
    return {
      op: isGlobal ? 'globalMeanGradient' : 'adaptiveMeanGradient',
      numbers: isGlobal ? [N, H * W, C] : extents,
      kernel: (y, [g]) => adaptiveMeanGradient(y, g!, extents),
    };
  });
  return append(spread, [gradient]);
};

/** The numbers of a pool's step. */
type Twelve = readonly [
  ...[N: number, H: number, W: number, C: number, kH: number, kW: number],
  ...[strideY: number, strideX: number, padY: number, padX: number, Hout: number, Wout: number],
];
