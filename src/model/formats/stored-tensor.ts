/**
 * How weights are stored: as they rest in memory (../memory.ts), so that a file holds what is kept of it.
 *
 *   f32     F32
 *   f16     F16, plain: any program reads it
 *   int8    I8, and beside it F32 [Cout], `scaleName` of the tensor: w = q·scale, largest |q| = 127
 *
 * That is for kernels and the classifier's matrix. Vectors (batch norm, biases) stay float32 at any
 * precision: they are a thousandth of the bytes, and a variance can leave the range of a half.
 */

import type { Precision } from '../../kernels/index.js';
import { encodingFactor, largestOf, roundToEven } from '../../kernels/precision.js';
import { DTYPE_BYTES, SCALED_DTYPE } from './dtype.js';
import { encodeHalves, HALF_OVERFLOW } from './half.js';
import type { TensorShape, TensorSource } from './tensor-source.js';

/** A tensor as it is stored at a precision. */
export interface StoredTensor extends TensorShape {
  readonly bytesPerElement: number;
  /** Magnitudes from here on are not to be had. */
  readonly limit: number;
  /** Whether it has scales beside it. */
  readonly scaled: boolean;
  /**
   * Encodes rows of output channels, little-endian.
   *
   * @param out `bytesPerElement` bytes for each element of `x`
   * @param scales of the rows, if it is scaled: what `x` is to be multiplied by, and afterwards `out`
   */
  encode(out: Uint8Array, x: Float32Array, scales: Float32Array): void;
}

/** @param precision that the tensor's layer is kept in */
export function storedTensor(precision: Precision, shape: readonly number[]): StoredTensor {
  const rounded = shape.length > 1 ? precision : 'f32';
  return { ...STORED[rounded], bytesPerElement: DTYPE_BYTES[STORED[rounded].dtype]!, shape };
}

const STORED: Readonly<Record<Precision, Omit<StoredTensor, 'shape' | 'bytesPerElement'>>> = {
  f32: { dtype: 'F32', limit: Number.POSITIVE_INFINITY, scaled: false, encode: encodeFloats },
  f16: { dtype: 'F16', limit: HALF_OVERFLOW, scaled: false, encode: encodeHalves },
  int8: { dtype: SCALED_DTYPE, limit: Number.POSITIVE_INFINITY, scaled: true, encode: encodeWhole },
};

/** The precision that weights are stored in: the coarsest that a kernel has. */
export function storedPrecision({ tensors }: TensorSource): Precision {
  const dtypes = [...tensors.values()].flatMap(({ shape, dtype }) =>
    shape.length > 1 ? dtype : [],
  );
  if (dtypes.includes(SCALED_DTYPE)) return 'int8';
  return dtypes.includes('F16') || dtypes.includes('BF16') ? 'f16' : 'f32';
}

function encodeFloats(out: Uint8Array, x: Float32Array): void {
  out.set(new Uint8Array(x.buffer, x.byteOffset, x.byteLength));
}

/** As int8 rests in memory. */
function encodeWhole(out: Uint8Array, x: Float32Array, scales: Float32Array): void {
  const whole = new Int8Array(out.buffer, out.byteOffset, out.length);
  const K = x.length / scales.length;
  for (let oc = 0; oc < scales.length; oc++) {
    const row = x.subarray(oc * K, (oc + 1) * K);
    const factor = encodingFactor('int8', largestOf(row));
    for (let i = 0; i < K; i++) whole[oc * K + i] = roundToEven(Math.fround(row[i]! * factor));
    scales[oc]! /= factor;
  }
}
