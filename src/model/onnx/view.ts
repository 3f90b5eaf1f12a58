/**
 * How the elements of an ONNX value are arranged in one of our values. Our value is [H, W, C] for each picture;
 * an ONNX value has any number of dimensions in any order. For each dimension, a view lists the parts of our axes
 * that it runs through, the outermost first:
 *
 *   [N, C, H, W]            N: nothing, C, H, W
 *   [N, H, W, C]            N: nothing, H, W, C           behind a Transpose
 *   [N, g, C/g, H, W]       C in two parts                behind a Reshape
 *   [N, C·H·W]              C, H and W in one dimension   behind a Flatten
 *
 * So transposing and reshaping cost nothing until an operator needs another layout (`Importer.realised`).
 * The batch is one picture here, and has no part: each picture of a batch is computed independently.
 */

import type { ValueShape } from '../graph/node.js';

export type Axis = keyof ValueShape;

/** A part of an axis: `size` elements at stride `step`. */
export interface Part {
  readonly axis: Axis;
  readonly size: number;
  readonly step: number;
}

export interface View {
  /** The node that makes the value. */
  readonly node: number;
  readonly shape: ValueShape;
  /** The parts that each dimension runs through; none for a dimension of size 1. */
  readonly dims: readonly (readonly Part[])[];
}

/** The axis of each dimension; `null` for one of size 1, as the batch is. */
export type Layout = readonly (Axis | null)[];

export const NCHW: Layout = [null, 'C', 'H', 'W'];
export const NHWC: Layout = [null, 'H', 'W', 'C'];

/** The usual layouts of operators, by rank. */
export const LAYOUTS: readonly Layout[] = [
  [],
  ['C'],
  [null, 'C'],
  // A sequence of vectors, [N, L, C].
  [null, 'H', 'C'],
  NCHW,
];

/** The view of a value in a layout. */
export function viewOf(node: number, shape: ValueShape, layout: Layout): View {
  return { node, shape, dims: layout.map((axis) => (axis ? wholeAxis(shape, axis) : [])) };
}

function wholeAxis(shape: ValueShape, axis: Axis): readonly Part[] {
  return shape[axis] === 1 ? [] : [{ axis, size: shape[axis], step: 1 }];
}

/** The value's dimensions in ONNX. */
export function dimsOf({ dims }: View): number[] {
  return dims.map((parts) => parts.reduce((product, { size }) => product * size, 1));
}

/** Whether each dimension of the view is the whole axis of the layout. */
export function isIn({ shape, dims }: View, layout: Layout): boolean {
  if (dims.length !== layout.length) return false;
  const isCovered = (['H', 'W', 'C'] as const).every(
    (axis) => shape[axis] === 1 || layout.includes(axis),
  );
  return isCovered && dims.every((parts, d) => isWhole(parts, shape, layout[d]!));
}

function isWhole(parts: readonly Part[], shape: ValueShape, axis: Axis | null): boolean {
  if (axis === null || shape[axis] === 1) return parts.length === 0;
  return parts.length === 1 && parts[0]!.axis === axis && parts[0]!.size === shape[axis];
}

/** The layout of a view whose dimensions are whole axes; `undefined` for any other. */
export function layoutOf({ shape, dims }: View): Layout | undefined {
  const layout = dims.map((parts) => (parts.length === 0 ? null : parts[0]!.axis));
  const isEach = dims.every((parts, d) => isWhole(parts, shape, layout[d]!));
  return isEach ? layout : undefined;
}

/** Whether a layout has an axis for every dimension of a view that is larger than 1. */
export function fits({ dims }: View, layout: Layout): boolean {
  return dims.every((parts, d) => parts.length === 0 || layout[d] !== null);
}

/** Dimension i of the result is dimension `order[i]` of the view. */
export function transposed(view: View, order: readonly number[]): View {
  return { ...view, dims: order.map((d) => view.dims[d]!) };
}

/**
 * The same elements in other dimensions; `undefined` if these do not divide the parts evenly.
 *
 * @param sizes their product is the number of elements
 */
export function reshaped(view: View, sizes: readonly number[]): View | undefined {
  const rest = view.dims.flat().reverse();
  const dims = sizes.map((size): Part[] | undefined => {
    const parts: Part[] = [];
    let wanted = size;
    while (wanted > 1) {
      const part = rest.pop();
      if (!part) return undefined;
      if (wanted % part.size === 0) {
        parts.push(part);
        wanted /= part.size;
      } else if (part.size % wanted === 0) {
        // The part is split in two; the outer part belongs to this dimension.
        const inner = part.size / wanted;
        parts.push({ ...part, size: wanted, step: part.step * inner });
        rest.push({ ...part, size: inner });
        wanted = 1;
      } else {
        return undefined;
      }
    }
    return merged(parts);
  });
  return dims.every((parts) => parts !== undefined) ? { ...view, dims } : undefined;
}

/** Joins neighbouring parts of an axis that continue each other. */
export function merged(parts: readonly Part[]): Part[] {
  const out: Part[] = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (last && last.axis === part.axis && last.step === part.size * part.step) {
      out[out.length - 1] = { ...part, size: last.size * part.size };
    } else {
      out.push(part);
    }
  }
  return out;
}

/** How to move elements to bring a view into a layout, for operators/permute.ts. */
export interface Move {
  readonly extents: readonly number[];
  readonly order: readonly number[];
  readonly to: ValueShape;
}

/** @param layout has as many dimensions; those without an axis have size 1 */
export function moveTo(view: View, layout: Layout): Move | undefined {
  const sizes = dimsOf(view);
  if (layout.some((axis, d) => axis === null && sizes[d] !== 1)) return undefined;
  const extent = (axis: Axis): number => sizes[layout.indexOf(axis)] ?? 1;
  // In the order of memory: H outermost, and within an axis the part with the largest step first.
  const stored = view.dims.flat().sort((a, b) => RANK[a.axis] - RANK[b.axis] || b.step - a.step);
  const wanted = (['H', 'W', 'C'] as const).flatMap(
    (axis) => view.dims[layout.indexOf(axis)] ?? [],
  );
  return {
    extents: stored.map(({ size }) => size),
    order: wanted.map((part) => stored.indexOf(part)),
    to: { H: extent('H'), W: extent('W'), C: extent('C') },
  };
}

const RANK: Readonly<Record<Axis, number>> = { H: 0, W: 1, C: 2 };
