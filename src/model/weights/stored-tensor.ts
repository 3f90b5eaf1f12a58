/**
 * How weights are stored when they are written. Kernels and the classifier's matrix are rounded; vectors
 * (batch norm, biases) stay float32 at any precision: they are a thousandth of the bytes, and a variance
 * can leave the range of a half.
 */

import type { Precision } from '../../kernels/index.js';
import { DTYPE_BYTES } from './dtype.js';
import { encodeHalves, HALF_OVERFLOW } from './half.js';
import type { TensorShape } from './tensor-source.js';

/** A tensor as it is stored at a precision. */
export interface StoredTensor extends TensorShape {
  readonly bytesPerElement: number;
  /** Magnitudes from here on are not to be had. */
  readonly limit: number;
  /** Encodes elements, little-endian. @param out `bytesPerElement` bytes for each element of `x` */
  encode(out: Uint8Array, x: Float32Array): void;
}

export function storedTensor(precision: Precision, shape: readonly number[]): StoredTensor {
  const rounded = precision === 'f16' && shape.length > 1;
  const dtype = rounded ? 'F16' : 'F32';
  return {
    dtype,
    shape,
    bytesPerElement: DTYPE_BYTES[dtype]!,
    limit: rounded ? HALF_OVERFLOW : Number.POSITIVE_INFINITY,
    encode: rounded ? encodeHalves : encodeFloats,
  };
}

function encodeFloats(out: Uint8Array, x: Float32Array): void {
  out.set(new Uint8Array(x.buffer, x.byteOffset, x.byteLength));
}
