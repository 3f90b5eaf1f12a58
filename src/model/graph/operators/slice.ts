/** Takes every step-th element from a range of rows, columns and channels. */

import { ShapeError } from '../../../errors.js';
import { gather } from '../../../kernels/operators.js';
import { type Operator, stepOf } from '../node.js';

/** `count` elements: `begin`, `begin + step`, … A step below 0 goes backwards. */
export type Stretch = readonly [begin: number, count: number, step: number];

/** An axis that is left out stays whole. */
export interface SliceAttributes {
  readonly H?: Stretch;
  readonly W?: Stretch;
  readonly C?: Stretch;
}

export function slice({ H, W, C }: SliceAttributes): Operator {
  return {
    kind: 'slice',
    stride: Math.max(Math.abs(H?.[2] ?? 1), Math.abs(W?.[2] ?? 1)),
    shape: ([x]) => ({
      H: countOf('H', x!.H, H),
      W: countOf('W', x!.W, W),
      C: countOf('C', x!.C, C),
    }),
    range: ([x]) => x!,
    isIdentity: ([x]) => isWhole(x!.H, H) && isWhole(x!.W, W) && isWhole(x!.C, C),
    steps(context) {
      const { N, inputs } = context;
      const x = inputs[0]!;
      const stretches = [H ?? [0, x.H, 1], W ?? [0, x.W, 1], C ?? [0, x.C, 1]] as const;
      const [rows, columns, channels] = stretches.map(([begin, count, step]) =>
        Int32Array.from({ length: count }, (_, i) => begin + i * step),
      );
      const tables = { ...x, rows: rows!, columns: columns!, channels: channels! };
      const numbers = [N, x.H, x.W, x.C, ...stretches.flat()];
      return [stepOf('slice', context, numbers, (y, [from]) => gather(y, from!, N, tables, 0))];
    },
  };
}

function isWhole(extent: number, stretch: Stretch | undefined): boolean {
  return stretch === undefined || (stretch[1] === extent && (stretch[2] === 1 || extent === 1));
}

/** @throws {ShapeError} if a range is empty or leaves the axis */
function countOf(axis: string, extent: number, stretch: Stretch | undefined): number {
  if (stretch === undefined) return extent;
  const [begin, count, step] = stretch;
  const end = begin + (count - 1) * step;
  const isInside = begin >= 0 && begin < extent && end >= 0 && end < extent;
  if (stretch.every(Number.isInteger) && count >= 1 && step !== 0 && isInside) return count;
  throw new ShapeError(
    `slice: ${axis} of ${extent} has no ${count} elements from ${begin} on in steps of ${step}`,
  );
}
