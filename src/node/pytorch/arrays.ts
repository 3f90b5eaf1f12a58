/**
 * NumPy arrays in place of weights: `{ name: ndarray }`, as `torch.save` and converters write them. A pickled
 * array is a call of `_reconstruct` with the state (version, shape, dtype, column-major, bytes).
 *
 * Source: numpy/core/src/multiarray/methods.c (`array_reduce`, `array_setstate`).
 */

import { rowMajorStrides } from '../../model/formats/strides.js';
import { sizeOf } from '../../model/formats/tensor-source.js';
import { dtypeOf, type ElementType } from './element-types.js';
import { isSize, type Tensor } from './tensors.js';
import { fullName, isInert, isKind, type PickleBytes, type PickleValue } from './values.js';

/** PyTorch's names of NumPy's types, by kind and bytes. */
const TYPES: Readonly<Record<string, string>> = {
  f8: 'float64',
  f4: 'float32',
  f2: 'float16',
  i8: 'int64',
  i4: 'int32',
  i2: 'int16',
  i1: 'int8',
  u1: 'uint8',
  b1: 'bool',
};

/** The tensor for an array; undefined for anything else, and for an array type that tensors do not have. */
export function tensorOfArray(value: PickleValue): Tensor | undefined {
  if (!isInert(value) || !/^numpy\._?core\.multiarray\._reconstruct$/.test(fullName(value))) {
    return undefined;
  }
  const [, extents, dtype, isColumnMajor, content] = Array.isArray(value.state) ? value.state : [];
  const shape = Array.isArray(extents) && extents.every(isSize) ? [...extents] : undefined;
  const type = typeOf(dtype);
  const bytes = bytesOf(content);
  if (!shape || !type || bytes?.length !== sizeOf(shape) * type.bytes) return undefined;
  const strides = isColumnMajor ? rowMajorStrides([...shape].reverse()).reverse() : undefined;
  const read = (begin: number, end: number) => bytes.subarray(begin, end);
  return {
    kind: 'tensor',
    storage: {
      kind: 'storage',
      bytes: { name: 'an array', length: bytes.length, read },
      type,
      begin: 0,
      length: sizeOf(shape),
    },
    shape,
    strides: strides ?? rowMajorStrides(shape),
    offset: 0,
  };
}

/** dtype('f4', …) with the state (3, '<', …): the order of its bytes. */
function typeOf(dtype: PickleValue | undefined): ElementType | undefined {
  if (!isInert(dtype) || fullName(dtype) !== 'numpy.dtype') return undefined;
  const [code] = dtype.args ?? [];
  const order = Array.isArray(dtype.state) ? dtype.state[1] : undefined;
  if (typeof code !== 'string' || order === '>' || !Object.hasOwn(TYPES, code)) return undefined;
  return dtypeOf('torch', TYPES[code]!);
}

/** Bytes, or the text that protocols 0 to 2 use instead. */
function bytesOf(content: PickleValue | undefined): Uint8Array | undefined {
  if (isKind<PickleBytes>(content, 'bytes')) return content.bytes;
  if (!isInert(content) || fullName(content) !== '_codecs.encode') return undefined;
  const [text] = content.args ?? [];
  if (typeof text !== 'string') return undefined;
  return Uint8Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
}
