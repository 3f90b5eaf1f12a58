/** Where weights come from: named tensors, whatever the file they are in. */

export interface TensorShape {
  /** In the words of safetensors: `F32`, `F16`, `I64`, … */
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** Named tensors, decoded piece by piece. */
export interface TensorSource {
  /** What messages call the file. */
  readonly name: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, TensorShape>;
  /**
   * Decodes elements `begin` … `begin + out.length` of a tensor, in row-major order, into `out`.
   *
   * @throws {FormatError} for a tensor that is not there, shorter, or not of floats
   */
  readInto(out: Float32Array, tensor: string, begin: number): void;
}

/** Elements of a tensor. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
