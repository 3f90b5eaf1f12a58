/**
 * The public array convention: every returned map has the structure of an ndarray, so that
 * `ndarray-ops` and the other scijs packages accept it. The package `ndarray` itself
 * generates code with `new Function`, which edge workers forbid, so it is not used.
 * All fields are plain data: an array survives `structuredClone` and `postMessage`.
 */

import { refuseKind, ShapeError } from '../errors.js';

/** Flat storage that a map or a picture may have. */
export type FlatArray = Float32Array | Float64Array | Uint8Array | Uint8ClampedArray;

/** Element (i, j, …) is `data[offset + i·stride[0] + j·stride[1] + …]`. */
export interface NdArray<T extends FlatArray = Float32Array> {
  readonly data: T;
  readonly shape: number[];
  /** In elements, not bytes. */
  readonly stride: number[];
  readonly offset: number;
  /** The name that scijs uses to specialise its loops: `float32`, `float64`, `uint8`, `uint8_clamped`. */
  readonly dtype: string;
  /** Axes from the smallest stride to the largest; scijs nests its loops in this order. */
  readonly order: number[];
  /** The number of elements. */
  readonly size: number;
  /** The number of axes. */
  readonly dimension: number;
}

/** A saliency map: an ndarray [H, W]. */
export type SaliencyMap = NdArray<Float32Array>;

const DTYPES: Record<string, string> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8_clamped',
};

/**
 * Wraps `data` (row-major, not copied) as an ndarray of `shape`.
 *
 * @throws ShapeError if the length of `data` is not that of `shape`.
 */
export function toNdArray<T extends FlatArray>(data: T, shape: number[]): NdArray<T> {
  const dimension = shape.length;
  const stride = new Array<number>(dimension);
  const order = new Array<number>(dimension);
  let size = 1;
  for (let axis = dimension - 1; axis >= 0; axis--) {
    stride[axis] = size;
    order[dimension - 1 - axis] = axis;
    size *= shape[axis]!;
  }
  if (data.length !== size) {
    throw new ShapeError(
      `toNdArray: data expected length ${size} for [${shape.join(', ')}], got ${data.length}`,
    );
  }
  const dtype = DTYPES[data[Symbol.toStringTag]] ?? 'array';
  return { data, shape, stride, offset: 0, dtype, order, size, dimension };
}

/**
 * Makes sure that `map` is [H, W] with H, W ≥ 1 and that its strides stay inside its data.
 *
 * @throws TypeError if it is not an ndarray, ShapeError if its extents do not fit.
 */
export function checkMap(operation: string, map: NdArray<FlatArray>, name = 'map'): void {
  if (!ArrayBuffer.isView(map?.data) || !Array.isArray(map.shape) || !Array.isArray(map.stride)) {
    refuseKind(`${operation}: ${name}`, 'an ndarray { data, shape, stride, offset }', map);
  }
  const { data, shape, stride, offset } = map;
  if (shape.length !== 2 || !isExtent(shape[0]!) || !isExtent(shape[1]!)) {
    throw new ShapeError(
      `${operation}: ${name} expected shape [H, W] with H, W ≥ 1, got [${shape.join(', ')}]`,
    );
  }
  const lastRow = (shape[0]! - 1) * stride[0]!;
  const lastColumn = (shape[1]! - 1) * stride[1]!;
  const lowest = offset + Math.min(0, lastRow) + Math.min(0, lastColumn);
  const highest = offset + Math.max(0, lastRow) + Math.max(0, lastColumn);
  if (!(lowest >= 0 && highest < data.length)) {
    throw new ShapeError(
      `${operation}: ${name} [${shape.join(', ')}] expected elements ${lowest}…${highest} in its data, got length ${data.length}`,
    );
  }
}

/** Makes sure that there is a map. @throws {TypeError} if `maps` is not an array, ShapeError if it is empty. */
export function checkMaps(operation: string, maps: readonly SaliencyMap[]): void {
  if (!Array.isArray(maps)) refuseKind(`${operation}: maps`, 'an array of maps', maps);
  if (maps.length === 0) throw new ShapeError(`${operation}: maps expected at least 1, got 0`);
}

/**
 * Makes sure that `size` is [H, W] of whole numbers ≥ 1.
 *
 * @throws ShapeError otherwise.
 */
export function checkSize(operation: string, size: readonly [number, number]): void {
  if (size.length !== 2 || !isExtent(size[0]) || !isExtent(size[1])) {
    throw new ShapeError(
      `${operation}: size expected [H, W] with H, W ≥ 1, got [${size.join(', ')}]`,
    );
  }
}

function isExtent(extent: number): boolean {
  return Number.isSafeInteger(extent) && extent >= 1;
}
