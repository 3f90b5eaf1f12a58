/**
 * How weights are stored: in files as in memory (../memory.ts), so that a file has what memory keeps.
 *
 *   f32     F32
 *   f16     F16, plain: any program can read it
 *   int8    I8, and with it F32 [Cout], `scaleName` of the tensor: w = q·scale, largest |q| = 127
 *
 * This is for kernels and the classifier's matrix. Vectors (batch norm, biases) stay float32 at any
 * precision: they are a thousandth of the bytes, and a variance can be too large for a half.
 */

import type { Precision } from '../kernels/index.js';
import { encodingFactor, largestOf, roundToEven } from '../kernels/precision.js';
import { DTYPE_BYTES, SCALED_DTYPE } from '../model/formats/dtype.js';
import type { TensorShape } from '../model/index.js';

/** From this value on the nearest binary16 is infinite: half a step above the largest, 65504. */
export const HALF_OVERFLOW = 65520;

/** A tensor as it is stored at a precision. */
export interface StoredTensor extends TensorShape {
  readonly bytesPerElement: number;
  /** Magnitudes from this value on cannot be stored. */
  readonly limit: number;
  /** Whether it has scales. */
  readonly scaled: boolean;
  /**
   * Encodes rows of output channels, little-endian.
   *
   * @param out `bytesPerElement` bytes for each element of `x`
   * @param scales of the rows, if it is scaled: the factors of `x` before, and of `out` after
   */
  encode(out: Uint8Array, x: Float32Array, scales: Float32Array): void;
}

/** @param precision the precision of the tensor's layer */
export function storedTensor(precision: Precision, shape: readonly number[]): StoredTensor {
  const rounded = shape.length > 1 ? precision : 'f32';
  return { ...STORED[rounded], bytesPerElement: DTYPE_BYTES[STORED[rounded].dtype]!, shape };
}

const STORED: Readonly<Record<Precision, Omit<StoredTensor, 'shape' | 'bytesPerElement'>>> = {
  f32: { dtype: 'F32', limit: Number.POSITIVE_INFINITY, scaled: false, encode: encodeFloats },
  f16: { dtype: 'F16', limit: HALF_OVERFLOW, scaled: false, encode: encodeHalves },
  int8: { dtype: SCALED_DTYPE, limit: Number.POSITIVE_INFINITY, scaled: true, encode: encodeWhole },
};

function encodeFloats(out: Uint8Array, x: Float32Array): void {
  out.set(new Uint8Array(x.buffer, x.byteOffset, x.byteLength));
}

/** int8, as in memory. */
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

/** float32 as bits: the smallest normal binary16, 2⁻¹⁴, half a step beyond the largest, and infinity. */
const SMALLEST_NORMAL = 0x38800000;
const OVERFLOW = 0x477ff000;
const INFINITE = 0x7f800000;

/**
 * The nearest binary16 of each float32; of two equally near the even one; subnormals too. As in IEEE 754,
 * `HALF_OVERFLOW` or more becomes infinite; callers that do not want that check first.
 *
 * @param bytes two per value, little-endian, of any alignment
 */
export function encodeHalves(bytes: Uint8Array, x: Float32Array): void {
  const bits = new Uint32Array(x.buffer, x.byteOffset, x.length);
  for (let i = 0; i < x.length; i++) {
    const magnitude = bits[i]! & 0x7fffffff;
    let half: number;
    if (magnitude > INFINITE) half = 0x7e00;
    else if (magnitude >= OVERFLOW) half = 0x7c00;
    else if (magnitude < SMALLEST_NORMAL) half = roundToEven(Math.abs(x[i]!) * 2 ** 24);
    // The exponent's bias changes from 127 to 15. Half a last bit is added, less if the bit is even; a
    // carry out of the mantissa goes to the exponent.
    else half = (magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13;
    half |= (bits[i]! >>> 16) & 0x8000;
    bytes[2 * i] = half;
    bytes[2 * i + 1] = half >> 8;
  }
}
