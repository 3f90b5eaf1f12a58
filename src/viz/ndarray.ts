/**
 * The public array convention: every map handed out is an ndarray in structure, so that
 * `ndarray-ops` and the rest of the scijs family take it as it is. The package `ndarray` itself
 * generates code with `new Function`, which edge workers forbid; hence the structure without it.
 */

/** Flat storage that a map or a picture may have. */
export type FlatArray = Float32Array | Float64Array | Uint8Array | Uint8ClampedArray;

/** Element (i, j, …) is `data[offset + i·stride[0] + j·stride[1] + …]`. */
export interface NdArray<T extends FlatArray = Float32Array> {
  readonly data: T;
  readonly shape: number[];
  /** In elements, not bytes. */
  readonly stride: number[];
  readonly offset: number;
  /** The name scijs uses to specialise its loops: `float32`, `float64`, `uint8`, `uint8_clamped`. */
  readonly dtype: string;
}

/** A saliency map: an ndarray [H, W]. */
export type SaliencyMap = NdArray<Float32Array>;

const DTYPES: Record<string, string> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8_clamped',
};

/** Wraps `data` (row-major, not copied) as an ndarray of `shape`. */
export function toNdArray<T extends FlatArray>(data: T, shape: number[]): NdArray<T> {
  const stride = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    stride[axis] = step;
    step *= shape[axis]!;
  }
  return { data, shape, stride, offset: 0, dtype: DTYPES[data.constructor.name] ?? 'array' };
}
