/** Enlarges or shrinks a map, as ONNX's Resize does. */

import { ShapeError } from '../../../errors.js';
import {
  gather,
  linearTaps,
  type NearestRounding,
  nearestPlaces,
  type OperatorKernel,
  type ResizeCoordinates,
  type ResizedAxis,
  resize as resizeKernel,
} from '../../../kernels/operators.js';
import { type Operator, type StepContext, stepOf } from '../node.js';

export type ResizeMode = 'nearest' | 'linear';

export interface ResizeOptions {
  /** Rounding for the mode nearest; default round_prefer_floor. */
  readonly nearest?: NearestRounding;
  /** Scales for the computation of coordinates; default: the ratios of the extents. */
  readonly scales?: { readonly H: number; readonly W: number };
}

export function resize(
  to: { readonly H: number; readonly W: number },
  mode: ResizeMode,
  coordinates: ResizeCoordinates,
  options: ResizeOptions = {},
): Operator {
  const { scales } = options;
  return {
    kind: 'resize',
    shape([x]) {
      const all = [to.H, to.W, scales?.H ?? 1, scales?.W ?? 1];
      const isWhole = [to.H, to.W].every((extent) => Number.isInteger(extent) && extent >= 1);
      if (isWhole && all.every((value) => value > 0 && value < Infinity)) {
        return { H: to.H, W: to.W, C: x!.C };
      }
      throw new ShapeError(`resize: extents and scales expected above 0, got ${all.join(', ')}`);
    },
    range: ([x]) => ({
      nonNegative: x!.nonNegative,
      sparse: x!.sparse && mode === 'nearest',
    }),
    isIdentity: ([x]) =>
      x!.H === to.H && x!.W === to.W && (scales?.H ?? 1) === 1 && (scales?.W ?? 1) === 1,
    steps(context) {
      const { H, W } = context.inputs[0]!;
      const axis = (n: number, nOut: number, scale = nOut / n): ResizedAxis => ({
        ...{ n, nOut, scale, coordinates },
      });
      const rows = axis(H, to.H, scales?.H);
      const columns = axis(W, to.W, scales?.W);
      const kernel = kernelOf(context, mode, options, rows, columns);
      const numbers = [context.N, H, W, context.shape.C, to.H, to.W, rows.scale, columns.scale];
      return [stepOf(`resize-${mode}`, context, numbers, kernel)];
    },
  };
}

/** The kernel with its tables. */
function kernelOf(
  { N, inputs }: StepContext,
  mode: ResizeMode,
  options: ResizeOptions,
  rowAxis: ResizedAxis,
  columnAxis: ResizedAxis,
): OperatorKernel {
  const x = inputs[0]!;
  const { nearest = 'round_prefer_floor' } = options;
  if (mode === 'nearest') {
    const rows = nearestPlaces(rowAxis, nearest);
    const columns = nearestPlaces(columnAxis, nearest);
    const channels = Int32Array.from({ length: x.C }, (_, c) => c);
    const tables = { ...x, rows, columns, channels };
    return (y, [from]) => gather(y, from!, N, tables, 0);
  }
  const [rows, columns] = [linearTaps(rowAxis), linearTaps(columnAxis)];
  const extents = [N, x.H, x.W, x.C] as const;
  return (y, [from]) => resizeKernel(y, from!, extents, rows, columns);
}
