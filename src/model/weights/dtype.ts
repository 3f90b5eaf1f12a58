/** Element types, in the words of safetensors, and the floats among them as float32. */

import { decodeBfloat16, decodeHalves } from './half.js';

/** Bytes per element of the dtypes that files have. Only floats can be read as weights. */
export const DTYPE_BYTES: Readonly<Record<string, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  U64: 8,
  I32: 4,
  U32: 4,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/** What `decodeFloats` decodes, for messages. */
export const FLOAT_DTYPES = 'F32, F16, BF16 or F64';

/**
 * Decodes elements of any alignment; little-endian, as every platform that has typed arrays in practice.
 *
 * @param bytes of `out.length` elements
 * @returns false for a dtype that is not a float's
 */
export function decodeFloats(out: Float32Array, bytes: Uint8Array, dtype: string): boolean {
  switch (dtype) {
    case 'F32':
      new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
      return true;
    case 'F64': {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let i = 0; i < out.length; i++) out[i] = view.getFloat64(8 * i, true);
      return true;
    }
    case 'F16':
      decodeHalves(out, bytes);
      return true;
    case 'BF16':
      decodeBfloat16(out, bytes);
      return true;
    default:
      return false;
  }
}
