/** Element types, by their names in safetensors, and decoding to float32. */

import { FormatError } from '../../errors.js';
import { decodeBfloat16, decodeHalves } from './half.js';

/** Bytes per element of the dtypes that files have. There are others (F4, F6_E2M3 …), and there will be more. */
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
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E8M0: 1,
  C64: 8,
};

const FLOATS: readonly string[] = ['F32', 'F16', 'BF16', 'F64'];

/** A weight may also be of whole numbers, with a scale for each output channel in another tensor. */
export const SCALED_DTYPE = 'I8';

/**
 * Refuses a tensor that does not have floats, before any of it is read.
 *
 * @param file name of the file in the message
 * @throws {FormatError} with the names of file and tensor
 */
export function checkFloats(file: string, tensor: string, dtype: string): void {
  if (FLOATS.includes(dtype)) return;
  throw new FormatError(
    `${file}: tensor ${tensor} has dtype ${dtype}, expected F32, F16, BF16 or F64`,
  );
}

/** Refuses a tensor that `decodeFloats` cannot read. @throws {FormatError} as `checkFloats` */
export function checkWeights(file: string, tensor: string, dtype: string): void {
  if (dtype !== SCALED_DTYPE) checkFloats(file, tensor, dtype);
}

/**
 * Decodes elements of any alignment, little-endian. In practice every platform with typed arrays is little-endian.
 *
 * @param bytes the bytes of `out.length` elements
 * @param dtype one that `checkWeights` accepts
 */
export function decodeFloats(out: Float32Array, bytes: Uint8Array, dtype: string): void {
  switch (dtype) {
    case 'F64': {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let i = 0; i < out.length; i++) out[i] = view.getFloat64(8 * i, true);
      return;
    }
    case 'F16':
      decodeHalves(out, bytes);
      return;
    case 'BF16':
      decodeBfloat16(out, bytes);
      return;
    case SCALED_DTYPE:
      out.set(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      return;
    default:
      new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
  }
}
