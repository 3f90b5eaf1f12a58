/** Where weights come from: named tensors, whatever the file they are in. */

export interface TensorShape {
  /** In the words of safetensors: `F32`, `F16`, `I64`, … */
  readonly dtype: string;
  readonly shape: readonly number[];
}

/**
 * Named tensors, decoded piece by piece.
 *
 * @typeParam T what is known of each; a source that renames tensors hands it on
 */
export interface TensorSource<T extends TensorShape = TensorShape> {
  /** What messages call the file. */
  readonly name: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, T>;
  /** What whoever loads them should be told, a line each. */
  readonly warnings?: readonly string[];
  /**
   * Decodes elements `begin` … `begin + out.length` of a tensor, in row-major order, into `out`. Those of
   * I8 are whole numbers, to be multiplied by their output channel's element of `scaleName(tensor)`.
   *
   * @throws {FormatError} for a tensor that is not there, shorter, or of a dtype that weights do not have
   */
  readInto(out: Float32Array, tensor: string, begin: number): void;
}

const SCALE = '_scale';

/** The tensor, [Cout], that the output channels of a tensor of I8 are multiplied by. */
export function scaleName(tensor: string): string {
  return tensor + SCALE;
}

/** The tensor that a tensor has the scales of, by its name. */
export function scaledName(tensor: string): string | undefined {
  return tensor.endsWith(SCALE) ? tensor.slice(0, -SCALE.length) : undefined;
}

/** Elements of a tensor. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
