/**
 * Arithmetic of two values, with broadcasting: a value is repeated along an axis where it has extent 1. Sums of equal
 * extents are in add.ts, and factors for channels in mul.ts, because backends have kernels for them.
 */

import { ShapeError } from '../../../errors.js';
import {
  type Arithmetic,
  arithmetic as arithmeticKernel,
  broadcastOf,
} from '../../../kernels/operators.js';
import { extentsText, type Operator, stepOf, type ValueRange, type ValueShape } from '../node.js';
import { add } from './add.js';
import { mul } from './mul.js';

export function arithmetic(kind: Arithmetic): Operator {
  return {
    // Not the operation's name: `add` and `mul` are other kinds, for fewer combinations of extents.
    kind: 'arithmetic',
    inPlace: true,
    shape: ([a, b]) => ({
      H: extent(kind, a!, b!, 'H'),
      W: extent(kind, a!, b!, 'W'),
      C: extent(kind, a!, b!, 'C'),
    }),
    range: ([a, b]) => RANGES[kind](a!, b!),
    steps(context) {
      const { N, inputs, shape } = context;
      const [a, b] = inputs.map(({ H, W, C }) => [H, W, C] as const);
      const isWhole = extentsText(inputs[0]!) === extentsText(shape);
      if (kind === 'add' && isWhole && `${a}` === `${b}`) return add().steps(context);
      if (kind === 'mul' && isWhole && `${b}` === `1,1,${shape.C}`) return mul().steps(context);
      const broadcast = broadcastOf(N, a!, b!);
      const numbers = [N, ...a!, ...b!];
      return [
        stepOf(`arithmetic-${kind}`, context, numbers, (y, [p, q]) =>
          arithmeticKernel(y, p!, q!, kind, broadcast),
        ),
      ];
    },
  };
}

function extent(kind: Arithmetic, a: ValueShape, b: ValueShape, axis: keyof ValueShape): number {
  if (a[axis] === b[axis] || b[axis] === 1) return a[axis];
  if (a[axis] === 1) return b[axis];
  throw new ShapeError(
    `${kind}: ${axis} expected to be equal or 1, got ${extentsText(a)} and ${extentsText(b)}`,
  );
}

/** Signs and zeros of the result. Where a factor is 0, the product is 0, also if the factor is repeated. */
const RANGES: Readonly<Record<Arithmetic, (a: ValueRange, b: ValueRange) => ValueRange>> = {
  add: (a, b) => ({ nonNegative: a.nonNegative && b.nonNegative, sparse: false }),
  sub: () => ({ nonNegative: false, sparse: false }),
  mul: (a, b) => ({
    nonNegative: a.nonNegative && b.nonNegative,
    sparse: a.sparse || b.sparse,
  }),
  div: (a, b) => ({ nonNegative: a.nonNegative && b.nonNegative, sparse: a.sparse }),
  max: (a, b) => ({
    nonNegative: a.nonNegative || b.nonNegative,
    sparse: a.sparse && b.sparse,
  }),
  min: (a, b) => ({
    nonNegative: a.nonNegative && b.nonNegative,
    sparse: a.nonNegative && b.nonNegative && (a.sparse || b.sparse),
  }),
  pow: (a) => ({ nonNegative: a.nonNegative, sparse: false }),
};
