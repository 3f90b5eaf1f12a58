/**
 * Constants of an ONNX graph: initializers, and constants computed from them while the graph is read. Elements
 * stay in the file's bytes until they are needed.
 */

import { FormatError } from '../../errors.js';
import type { ByteSource } from '../formats/byte-source.js';
import { DTYPE_BYTES, decodeFloats } from '../formats/dtype.js';
import { sizeOf, type TensorShape } from '../formats/tensor-source.js';
import type { OnnxTensor } from './proto.js';
import { MOST_DIMENSIONS, type Stretch } from './shapes.js';

/** The numeric types of TensorProto.DataType, with their names in safetensors. */
const DTYPES: Readonly<Record<number, string>> = {
  1: 'F32',
  2: 'U8',
  3: 'I8',
  4: 'U16',
  5: 'I16',
  6: 'I32',
  7: 'I64',
  9: 'BOOL',
  10: 'F16',
  11: 'F64',
  12: 'U32',
  13: 'U64',
  16: 'BF16',
};

const FLOATS: readonly string[] = ['F32', 'F16', 'BF16', 'F64'];

/** The dtype of a number of TensorProto.DataType. @throws {FormatError} for a type that cannot be read */
export function dtypeOf(type: number, what: string): string {
  const dtype = DTYPES[type];
  if (dtype === undefined) throw new FormatError(`${what} has data type ${type}: not supported`);
  return dtype;
}

/** The most elements of a constant that is computed or filled: enough for the largest weight of a VGG-19. */
const MOST_ELEMENTS = 2 ** 27;
/** The longest chain of constants, each computed from the one before. No exporter writes longer ones. */
const MOST_STEPS = 64;

export type Elements = Float32Array | Float64Array;
type Read = (out: Elements, begin: number) => void;

export interface TensorOptions {
  /** Whether it depends on the size of the picture. */
  readonly isSizeBound?: boolean;
  /** Whether it was quantized: whole numbers with scales. */
  readonly isDequantized?: boolean;
}

/** A constant, row-major. */
export class Tensor implements TensorShape {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly isSizeBound: boolean;
  readonly isDequantized: boolean;
  /** Decodes elements `begin` … `begin + out.length`. */
  readonly read: Read;
  /** Length of the chain of constants that are read to read this one. */
  readonly steps: number;
  #values: Elements | undefined;

  /** @throws {FormatError} for too many steps */
  constructor(
    shape: readonly number[],
    dtype: string,
    read: Read,
    options: TensorOptions = {},
    steps = 0,
  ) {
    this.shape = shape;
    this.dtype = dtype;
    this.read = read;
    this.isSizeBound = options.isSizeBound === true;
    this.isDequantized = options.isDequantized === true;
    this.steps = steps;
    if (steps > MOST_STEPS) {
      throw new FormatError(`a constant in more than ${MOST_STEPS} steps from others`);
    }
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  get isFloat(): boolean {
    return FLOATS.includes(this.dtype);
  }

  /** All elements. Floats are float32, as in other runtimes, except 64-bit ones. */
  get values(): Elements {
    if (!this.#values) {
      this.#values = elementsFor(this.dtype, checkedSize(this.shape));
      this.read(this.#values, 0);
    }
    return this.#values;
  }

  /** The only element. @throws {FormatError} if there are several, or none */
  get scalar(): number {
    if (this.size !== 1) throw new FormatError(`expected one number, got [${this.shape}]`);
    return this.values[0]!;
  }

  /** The same elements in another shape. */
  reshaped(shape: readonly number[]): Tensor {
    return this.#with(shape, this.dtype, this);
  }

  /** The same numbers as another dtype. */
  as(dtype: string): Tensor {
    return dtype === this.dtype ? this : this.#with(this.shape, dtype, this);
  }

  /** Copies the marks of the constants from which it is computed. */
  markedAs(sources: readonly Tensor[]): Tensor {
    const isSizeBound = this.isSizeBound || sources.some((source) => source.isSizeBound);
    const isDequantized = this.isDequantized || sources.some((source) => source.isDequantized);
    if (isSizeBound === this.isSizeBound && isDequantized === this.isDequantized) return this;
    return this.#with(this.shape, this.dtype, { isSizeBound, isDequantized });
  }

  #with(shape: readonly number[], dtype: string, options: TensorOptions): Tensor {
    const made = new Tensor(shape, dtype, this.read, options, this.steps);
    if (dtype === this.dtype) made.#values = this.#values;
    return made;
  }

  /** Elements of a row-major `shape`, whose strides in this tensor are `steps`. */
  strided(shape: readonly number[], steps: readonly number[], offset = 0): Tensor {
    checkedSize(shape);
    const read: Read = (out, begin) => readStrided(out, begin, this.values, shape, steps, offset);
    return new Tensor(shape, this.dtype, read, this, this.steps + 1);
  }

  /** Dimension i of the result is dimension `order[i]` of this. */
  permuted(order: readonly number[]): Tensor {
    if (order.every((d, i) => d === i)) return this;
    const strides = stridesOf(this.shape);
    return this.strided(
      order.map((d) => this.shape[d]!),
      order.map((d) => strides[d]!),
    );
  }

  /** Repeated to a shape that it broadcasts to. */
  broadcast(shape: readonly number[]): Tensor {
    if (`${this.shape}` === `${shape}`) return this;
    const missing = new Array<number>(shape.length - this.shape.length).fill(0);
    const steps = stridesOf(this.shape).map((step, d) => (this.shape[d] === 1 ? 0 : step));
    return this.strided(shape, [...missing, ...steps]);
  }

  sliced(stretches: readonly Stretch[]): Tensor {
    const strides = stridesOf(this.shape);
    const shape = [...this.shape];
    const steps = [...strides];
    let offset = 0;
    for (const { axis, begin, count, step } of stretches) {
      shape[axis] = count;
      steps[axis] = strides[axis]! * step;
      offset += begin * strides[axis]!;
    }
    return this.strided(shape, steps, offset);
  }

  static of(
    shape: readonly number[],
    values: ArrayLike<number>,
    dtype: string,
    options?: TensorOptions,
  ): Tensor {
    const read: Read = (out, begin) => {
      for (let i = 0; i < out.length; i++) out[i] = values[begin + i]!;
    };
    return new Tensor(shape, dtype, read, options);
  }

  static filled(shape: readonly number[], value: number, dtype: string): Tensor {
    checkedSize(shape);
    return new Tensor(shape, dtype, (out) => out.fill(value));
  }
}

/** An array for `size` elements of a dtype, of the kind that `values` returns. */
export function elementsFor(dtype: string, size: number): Elements {
  const isSingle = FLOATS.includes(dtype) && dtype !== 'F64';
  return isSingle ? new Float32Array(size) : new Float64Array(size);
}

/** The number of elements of a shape. @throws {FormatError} for more than a network has */
export function checkedSize(shape: readonly number[]): number {
  const size = sizeOf(shape);
  const isWhole = shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0);
  if (isWhole && shape.length <= MOST_DIMENSIONS && size <= MOST_ELEMENTS) return size;
  throw new FormatError(
    `a constant of [${shape.slice(0, 8)}]: at most ${MOST_ELEMENTS} elements are computed`,
  );
}

/** Row-major strides, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= shape[d]!;
  }
  return strides;
}

/** out = elements from `begin` of `x`, read as a row-major `shape` with the strides `steps`. */
function readStrided(
  out: Elements,
  begin: number,
  x: Elements,
  shape: readonly number[],
  steps: readonly number[],
  offset: number,
): void {
  const rank = shape.length;
  const at = new Array<number>(rank).fill(0);
  let rest = begin;
  for (let d = rank - 1; d >= 0; d--) {
    at[d] = rest % shape[d]!;
    rest = Math.floor(rest / shape[d]!);
  }
  let from = at.reduce((sum, i, d) => sum + i * steps[d]!, offset);
  for (let i = 0; i < out.length; i++) {
    out[i] = x[from]!;
    for (let d = rank - 1; d >= 0; d--) {
      from += steps[d]!;
      if (++at[d]! < shape[d]!) break;
      from -= shape[d]! * steps[d]!;
      at[d] = 0;
    }
  }
}

/**
 * The tensor that a message describes.
 *
 * @param external returns another file of the model's data, for its path
 * @throws {FormatError} for elements that cannot be read, or whose number does not fit the dimensions
 */
export function tensorOf(
  tensor: OnnxTensor,
  externalData: (location: string) => ByteSource,
): Tensor {
  const { name, dims, type, numbers } = tensor;
  const what = `tensor ${name || '(of an attribute)'}`;
  const dtype = dtypeOf(type, what);
  if (dims.length > MOST_DIMENSIONS || dims.some((d) => !(Number.isSafeInteger(d) && d >= 0))) {
    throw new FormatError(`${what} has dimensions [${dims.slice(0, 8)}]`);
  }
  const size = sizeOf(dims);
  const bytes = bytesOf(tensor, what, dtype, externalData);
  if (bytes === undefined) {
    if (numbers.length === size) return Tensor.of(dims, numbers, dtype);
    throw new FormatError(`${what} expected ${size} elements, got ${numbers.length}`);
  }
  const width = DTYPE_BYTES[dtype]!;
  if (bytes.length !== size * width) {
    throw new FormatError(`${what} expected ${size * width} bytes, got ${bytes.length}`);
  }
  return new Tensor(dims, dtype, (out, begin) => {
    const own = bytes.read(begin * width, (begin + out.length) * width);
    if (own.length !== out.length * width) throw new FormatError(`${what} is cut short`);
    decode(out, own, dtype);
  });
}

/** The bytes of the elements; `undefined` if they are stored as numbers. */
function bytesOf(
  { dims, raw, numbers, external }: OnnxTensor,
  what: string,
  dtype: string,
  externalData: (location: string) => ByteSource,
): ByteSource | undefined {
  if (external) {
    const location = external.get('location');
    if (location === undefined) throw new FormatError(`${what} does not say which file it lies in`);
    const data = externalData(location);
    const offset = Number(external.get('offset') ?? 0);
    const length = Number(external.get('length') ?? sizeOf(dims) * DTYPE_BYTES[dtype]!);
    const isInside = Number.isSafeInteger(offset) && offset >= 0 && length >= 0;
    if (isInside && offset + length <= data.length) {
      return { length, read: (begin, end) => data.read(offset + begin, offset + end) };
    }
    throw new FormatError(
      `${what} lies at bytes ${offset}…${offset + length} of ${location}, which has ${data.length}`,
    );
  }
  if (raw) return sourceOf(raw);
  // Each number holds the bits of one half.
  const isHalf = dtype === 'F16' || dtype === 'BF16';
  return isHalf ? sourceOf(new Uint8Array(Uint16Array.from(numbers).buffer)) : undefined;
}

function sourceOf(bytes: Uint8Array): ByteSource {
  return { length: bytes.length, read: (begin, end) => bytes.subarray(begin, end) };
}

function decode(out: Elements, bytes: Uint8Array, dtype: string): void {
  const WholeNumbers = WHOLE_NUMBERS[dtype];
  if (WholeNumbers) {
    // A copy, because elements in files are not aligned.
    const whole = new WholeNumbers(new Uint8Array(bytes).buffer);
    for (let i = 0; i < out.length; i++) out[i] = Number(whole[i]!);
  } else if (dtype === 'F64') {
    out.set(new Float64Array(new Uint8Array(bytes).buffer));
  } else if (out instanceof Float32Array) {
    decodeFloats(out, bytes, dtype);
  } else {
    const floats = new Float32Array(out.length);
    decodeFloats(floats, bytes, dtype);
    out.set(floats);
  }
}

/** Little-endian, like every platform in practice. 64-bit numbers are rounded to doubles. */
const WHOLE_NUMBERS = {
  U8: Uint8Array,
  I8: Int8Array,
  BOOL: Uint8Array,
  U16: Uint16Array,
  I16: Int16Array,
  U32: Uint32Array,
  I32: Int32Array,
  U64: BigUint64Array,
  I64: BigInt64Array,
} as Readonly<Record<string, new (buffer: ArrayBuffer) => ArrayLike<number | bigint>>>;
