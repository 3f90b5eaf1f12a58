/** Where weights come from: named tensors, from a file of any format. */

export interface TensorShape {
  /** By its name in safetensors: `F32`, `F16`, `I64`, … */
  readonly dtype: string;
  readonly shape: readonly number[];
}

/**
 * Named tensors, decoded piece by piece.
 *
 * @typeParam T the description of each tensor; a source that renames tensors passes it on
 */
export interface TensorSource<T extends TensorShape = TensorShape> {
  /** Name of the file in messages. */
  readonly name: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, T>;
  /** Warnings for whoever loads them, one line each. */
  readonly warnings?: readonly string[];
  /**
   * Decodes elements `begin` … `begin + out.length` of a tensor, in row-major order, into `out`. Elements of
   * I8 are whole numbers; multiply them by their output channel's element of `scaleName(tensor)`.
   *
   * @throws {FormatError} for a tensor that is missing, shorter, or of a dtype that weights do not have
   */
  readInto(out: Float32Array, tensor: string, begin: number): void;
}

const SCALE = '_scale';

/** Name of the tensor, [Cout], with the factors for the output channels of a tensor of I8. */
export function scaleName(tensor: string): string {
  return tensor + SCALE;
}

/** For the name of a tensor of scales, the name of the tensor that they scale. */
export function scaledName(tensor: string): string | undefined {
  return tensor.endsWith(SCALE) ? tensor.slice(0, -SCALE.length) : undefined;
}

/** The number of elements of a tensor. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
