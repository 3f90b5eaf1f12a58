/** What normalizes with the value's own statistics: softmax, layer norm, local response normalisation. */

import {
  lrnGradient,
  normalizeGradient,
  softmaxGradient,
} from '../../../kernels/gradient/index.js';
import { backward, type Rule, stepOf } from '../rule.js';

/** Softmax and its logarithm. */
export const softmaxRule: Rule = (node) => {
  const { append, gradient, shape } = node;
  const { op } = stepOf(node, 1);
  const own = backward(
    shape,
    (N) => {
      const { numbers } = stepOf(node, N);
      const [pictures, pixels, C, overPixels] = numbers as [number, number, number, number];
      const extents = [pictures, pixels, C] as const;
      const [isOverPixels, log] = [overPixels === 1, op === 'logSoftmax'];
      return {
        op: `${op}Gradient`,
        numbers,
        kernel: (out, [g, y]) => softmaxGradient(out, g!, y!, extents, isOverPixels, log),
      };
    },
    { inPlace: true },
  );
  return append(own, [gradient, node.value()]);
};

export const normalizeRule: Rule = (node) => {
  const { append, gradient, shape } = node;
  const own = backward(
    shape,
    (N) => {
      const { numbers } = stepOf(node, N);
      const [maps, pixels, C, groups, eps] = numbers as [number, number, number, number, number];
      const extents = [maps, pixels, C] as const;
      return {
        op: 'normalizeGradient',
        numbers,
        kernel: (out, [g, x]) => normalizeGradient(out, g!, x!, extents, groups, eps),
      };
    },
    { inPlace: true },
  );
  return append(own, [gradient, node.input(0)]);
};

export const lrnRule: Rule = (node) => {
  const { append, gradient, shape } = node;
  const own = backward(
    shape,
    (N) => {
      const { numbers } = stepOf(node, N);
      const [pixels, C, size, alpha, beta, bias] = numbers as Six;
      const parameters = { size, alpha, beta, bias };
      const scratch = new Float64Array(2 * C);
      return {
        op: 'lrnGradient',
        numbers,
        kernel: (out, [g, x]) => lrnGradient(out, g!, x!, [pixels, C], parameters, scratch),
      };
    },
    { inPlace: true },
  );
  return append(own, [gradient, node.input(0)]);
};

type Six = readonly [number, number, number, number, number, number];
