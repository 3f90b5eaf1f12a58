/** What only moves elements, and resizing. */

import { resizeGradient, scatter } from '../../../kernels/gradient/index.js';
import { type AxisTaps, flatten, type GatherTables } from '../../../kernels/operators.js';
import { type PadMode, padTable } from '../../graph/operators/pad.js';
import { permute } from '../../graph/operators/permute.js';
import { backward, type Differentiated, type Rule, stepOf } from '../rule.js';

export const flattenRule: Rule = (node) => {
  const { append, gradient, inputs } = node;
  const { H, W, C } = inputs[0]!;
  const back = backward(inputs[0]!, (N) => {
    const numbers = [N, C, H * W] as const;
    return { op: 'flatten', numbers, kernel: (y, [g]) => flatten(y, g!, numbers) };
  });
  return append(back, [gradient]);
};

/** Transposed back. */
export const permuteRule: Rule = (node) => {
  const { append, gradient, inputs } = node;
  const { numbers } = stepOf(node, 1);
  const rank = (numbers.length - 1) / 2;
  const extents = numbers.slice(1, 1 + rank);
  const order = numbers.slice(1 + rank);
  const back = order.map((_, axis) => order.indexOf(axis));
  const given = order.map((axis) => extents[axis]!);
  return append(permute(given, back, inputs[0]!), [gradient]);
};

export const sliceRule: Rule = (node) => {
  const { numbers } = stepOf(node, 1);
  const table = (axis: number) => {
    const [begin, count, step] = numbers.slice(4 + 3 * axis) as [number, number, number];
    return Int32Array.from({ length: count }, (_, i) => begin + i * step);
  };
  return scattered(node, { rows: table(0), columns: table(1), channels: table(2) });
};

export const padRule: Rule = (node) => {
  const { op, numbers } = stepOf(node, 1);
  const mode = op.slice('pad-'.length) as PadMode;
  const table = (axis: number) => {
    const sides = numbers.slice(4 + 2 * axis) as [number, number];
    return padTable(mode, sides, numbers[1 + axis]!);
  };
  return scattered(node, { rows: table(0), columns: table(1), channels: table(2) });
};

/** The gradient of a node that copies elements by these tables. */
function scattered(
  node: Differentiated,
  tables: Pick<GatherTables, 'rows' | 'columns' | 'channels'>,
): number {
  const x = node.inputs[0]!;
  const all = { ...x, ...tables };
  const back = backward(x, (N) => {
    const { op, numbers } = stepOf(node, N);
    return { op: `${op}Gradient`, numbers, kernel: (y, [g]) => scatter(y, g!, N, all) };
  });
  return node.append(back, [node.gradient]);
}

export const nearestRule: Rule = (node) => {
  const channels = Int32Array.from({ length: node.shape.C }, (_, c) => c);
  const rows = Int32Array.from(coordinatesOf(node, 'H'));
  const columns = Int32Array.from(coordinatesOf(node, 'W'));
  return scattered(node, { rows, columns, channels });
};

export const linearRule: Rule = (node) => {
  const { append, gradient, inputs } = node;
  const { H, W, C } = inputs[0]!;
  const rows = tapsOf(coordinatesOf(node, 'H'), H);
  const columns = tapsOf(coordinatesOf(node, 'W'), W);
  const back = backward(inputs[0]!, (N) => {
    const { op, numbers } = stepOf(node, N);
    const extents = [N, H, W, C] as const;
    const kernel = (y: Float32Array, [g]: readonly Float32Array[]) =>
      resizeGradient(y, g!, extents, rows, columns);
    return { op: `${op}Gradient`, numbers, kernel };
  });
  return append(back, [gradient]);
};

/**
 * For each output row (or column), where it lies among the rows of the input: the step itself tells, from a map whose
 * elements are the numbers of their rows. In doubles: float32 would be too coarse for weights.
 */
function coordinatesOf(node: Differentiated, axis: 'H' | 'W'): Float64Array {
  const [{ H, W }, to] = [node.inputs[0]!, node.shape];
  const one = { inputs: [{ H, W, C: 1 }], shape: { ...to, C: 1 } };
  const { kernel } = stepOf({ ...node, ...one }, 1);
  const x = Float64Array.from({ length: H * W }, (_, i) =>
    axis === 'H' ? Math.floor(i / W) : i % W,
  );
  const out = new Float64Array(to.H * to.W);
  kernel(out as unknown as Float32Array, [x as unknown as Float32Array], undefined);
  const step = axis === 'H' ? to.W : 1;
  return Float64Array.from({ length: to[axis] }, (_, i) => out[i * step]!);
}

/** The two neighbours of each coordinate, and their weights. */
function tapsOf(coordinates: Float64Array, extent: number): AxisTaps {
  const below = [...coordinates].map(Math.floor);
  return {
    places: Int32Array.from(below.flatMap((place) => [place, Math.min(place + 1, extent - 1)])),
    weights: Float64Array.from(
      below.flatMap((place, i) => {
        const rest = coordinates[i]! - place;
        return [1 - rest, rest];
      }),
    ),
  };
}
