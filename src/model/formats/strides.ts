/**
 * Strided tensors: element (i₀, i₁, …) is at x[offset + Σ i_d · stride_d]. A transposed tensor has permuted
 * strides, and a slice has an offset. Nothing is copied until it is read.
 */

export interface Strided {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** The strides of a tensor in row-major order. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  for (let d = shape.length - 1, stride = 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= shape[d]!;
  }
  return strides;
}

/** True if the elements are in row-major order without gaps. Strides of extents of 1 do not matter. */
export function isRowMajor({ shape, strides }: Strided): boolean {
  const expected = rowMajorStrides(shape);
  return shape.every((size, d) => size === 1 || strides[d] === expected[d]);
}

/** Elements `begin` … `begin + out.length`, counted in row-major order, of a strided tensor over `x`. */
export function gather(
  out: Float32Array,
  x: Float32Array,
  { shape, strides, offset }: Strided,
  begin: number,
): void {
  const index = new Array<number>(shape.length);
  let at = offset;
  for (let d = shape.length - 1, rest = begin; d >= 0; d--) {
    index[d] = rest % shape[d]!;
    rest = Math.floor(rest / shape[d]!);
    at += index[d]! * strides[d]!;
  }
  for (let i = 0; i < out.length; i++) {
    out[i] = x[at]!;
    // Counts like an odometer: the last dimension moves; at its end the one before it.
    for (let d = shape.length - 1; d >= 0; d--) {
      at += strides[d]!;
      if (++index[d]! < shape[d]!) break;
      at -= strides[d]! * shape[d]!;
      index[d] = 0;
    }
  }
}

/** Decodes a tensor when it is needed and keeps the latest one: the parts of a tensor are read one after the other. */
export function keepLatest(
  decode: (tensor: string) => Float32Array,
): (tensor: string) => Float32Array {
  let latest: { readonly tensor: string; readonly x: Float32Array } | undefined;
  return (tensor) => {
    if (latest?.tensor !== tensor) {
      // Frees the old one before the new one is decoded.
      latest = undefined;
      latest = { tensor, x: decode(tensor) };
    }
    return latest.x;
  };
}
