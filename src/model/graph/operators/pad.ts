/** Adds a border of rows, columns and channels: one value, mirrored elements, or copies of the outermost elements. */

import { ShapeError } from '../../../errors.js';
import { gather } from '../../../kernels/operators.js';
import { extentsText, type Operator, stepOf, type ValueShape } from '../node.js';

/** Elements added on each side; `front` and `back` are channels. A negative number cuts elements off. Default 0. */
export interface Border {
  readonly top?: number;
  readonly left?: number;
  readonly bottom?: number;
  readonly right?: number;
  readonly front?: number;
  readonly back?: number;
}

/**
 * constant: one value. reflect: mirrored at the outermost element, which is not repeated; several times if the
 * border is wider than the map. edge: copies of the outermost element.
 */
export type PadMode = 'constant' | 'reflect' | 'edge';

export function pad(border: Border, mode: PadMode = 'constant', value = 0): Operator {
  const { top = 0, left = 0, bottom = 0, right = 0, front = 0, back = 0 } = border;
  const sides = { H: [top, bottom], W: [left, right], C: [front, back] } as const;
  const all = Object.values(sides).flat();
  const isZero = mode === 'constant' && value === 0;
  return {
    kind: 'pad',
    shape([x]) {
      const shape = { H: x!.H + top + bottom, W: x!.W + left + right, C: x!.C + front + back };
      // The elements of each axis that are left after cutting, before the border is added.
      const kept = (['H', 'W', 'C'] as const).map((axis) => keptOf(x![axis], sides[axis])[1]);
      if (all.every(Number.isInteger) && Math.min(...kept) >= 1) return shape;
      throw new ShapeError(`pad: a border of [${all}] leaves nothing of ${extentsText(x!)}`);
    },
    range: ([x]) => ({
      nonNegative: x!.nonNegative && (mode !== 'constant' || value >= 0),
      sparse: x!.sparse && (mode !== 'constant' || isZero),
    }),
    isIdentity: () => all.every((side) => side === 0),
    steps(context) {
      const { N, inputs } = context;
      const x = inputs[0]!;
      const table = (axis: keyof ValueShape) => padTable(mode, sides[axis], x[axis]);
      const tables = { ...x, rows: table('H'), columns: table('W'), channels: table('C') };
      const numbers = [N, x.H, x.W, x.C, ...all, value];
      return [
        stepOf(`pad-${mode}`, context, numbers, (y, [from]) => gather(y, from!, N, tables, value)),
      ];
    },
  };
}

/** The first element that is not cut off, and how many are left. */
function keptOf(
  extent: number,
  [before, behind]: readonly [number, number],
): readonly [first: number, count: number] {
  const first = Math.max(0, -before);
  return [first, extent - first - Math.max(0, -behind)];
}

/** Where each element of an axis comes from; −1 stands for the constant value. */
export function padTable(
  mode: PadMode,
  sides: readonly [before: number, behind: number],
  extent: number,
): Int32Array {
  const [before, behind] = sides;
  const [first, count] = keptOf(extent, sides);
  return Int32Array.from({ length: before + extent + behind }, (_, i) => {
    const at = i - Math.max(0, before);
    if (at >= 0 && at < count) return first + at;
    if (mode === 'constant') return -1;
    return first + (mode === 'edge' ? (at < 0 ? 0 : count - 1) : mirrored(at, count));
  });
}

/** … 2 1 0 1 2 … count − 2, count − 1, count − 2 … */
function mirrored(at: number, count: number): number {
  if (count === 1) return 0;
  const period = 2 * (count - 1);
  const phase = ((at % period) + period) % period;
  return Math.min(phase, period - phase);
}
