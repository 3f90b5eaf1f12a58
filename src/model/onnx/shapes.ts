/** Shape arithmetic: computes the new dimensions of a value or a constant. */

import { FormatError } from '../../errors.js';

/** No tensor has more dimensions. */
export const MOST_DIMENSIONS = 64;

/** A dimension's index; a negative one counts from the end. @throws {FormatError} beyond the rank */
export function axisOf(axis: number, rank: number): number {
  const d = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(d) && d >= 0 && d < Math.max(rank, 1)) return d;
  throw new FormatError(`axis ${axis} of ${rank} dimensions`);
}

export function productOf(extents: readonly number[]): number {
  return extents.reduce((product, extent) => product * extent, 1);
}

/** The shape to which two shapes broadcast. @throws {FormatError} */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, d) => {
    const [x, y] = [a[d - rank + a.length] ?? 1, b[d - rank + b.length] ?? 1];
    if (x !== y && x !== 1 && y !== 1) throw new FormatError(`[${a}] and [${b}] do not broadcast`);
    return x === 1 ? y : x;
  });
}

/** For Reshape: 0 keeps the size, −1 stands for the rest. @throws {FormatError} */
export function targetShape(
  target: readonly number[],
  from: readonly number[],
  allowZero: boolean,
): number[] {
  const size = productOf(from);
  const shape = target.map((extent, d) => (extent === 0 && !allowZero ? (from[d] ?? 0) : extent));
  const known = productOf(shape.filter((extent) => extent !== -1));
  const full = shape.map((extent) => (extent === -1 ? size / known : extent));
  const isRight =
    shape.filter((extent) => extent === -1).length <= 1 &&
    full.every((extent) => Number.isInteger(extent) && extent >= 0) &&
    productOf(full) === size;
  if (isRight) return full;
  throw new FormatError(`[${from}] cannot be reshaped to [${target}]`);
}

/** For Flatten. @param axis the first dimension of the second part; the rank, if that is empty */
export function flattened(shape: readonly number[], axis: number): number[] {
  const d = axis < 0 ? axis + shape.length : axis;
  if (d < 0 || d > shape.length) throw new FormatError(`axis ${axis} of [${shape}]`);
  return [productOf(shape.slice(0, d)), productOf(shape.slice(d))];
}

/** For Squeeze. @throws {FormatError} for a dimension that is not 1 */
export function squeezed(shape: readonly number[], axes: readonly number[] | undefined): number[] {
  const own = axes?.map((axis) => axisOf(axis, shape.length));
  const wrong = own?.find((d) => shape[d] !== 1);
  if (wrong !== undefined) throw new FormatError(`dimension ${wrong} of [${shape}] is not 1`);
  return shape.filter((size, d) => (own ? !own.includes(d) : size !== 1));
}

/** For Unsqueeze. @throws {FormatError} */
export function unsqueezed(shape: readonly number[], axes: readonly number[]): number[] {
  const rank = shape.length + axes.length;
  if (rank > MOST_DIMENSIONS) throw new FormatError(`${rank} dimensions are not supported`);
  const own = axes.map((axis) => axisOf(axis, rank));
  if (new Set(own).size !== own.length) throw new FormatError(`axes [${axes}] repeat themselves`);
  const rest = [...shape];
  return Array.from({ length: rank }, (_, d) => (own.includes(d) ? 1 : rest.shift()!));
}

/** For Transpose; by default the dimensions in reverse order. @throws {FormatError} if it is not a permutation */
export function permutation(perm: readonly number[] | undefined, rank: number): number[] {
  const all = Array.from({ length: rank }, (_, d) => d);
  const order = (perm && perm.length > 0 ? perm : [...all].reverse()).map((d) => axisOf(d, rank));
  if (`${[...order].sort((a, b) => a - b)}` === `${all}`) return order;
  throw new FormatError(`perm [${perm}] is not one of ${rank} dimensions`);
}

/** `count` elements of a dimension, every `step`-th. */
export interface Stretch {
  readonly axis: number;
  readonly begin: number;
  readonly count: number;
  readonly step: number;
}

/** For Slice: the elements of each axis, within bounds. @throws {FormatError} */
export function stretchesOf(
  shape: readonly number[],
  starts: readonly number[],
  ends: readonly number[],
  axes: readonly number[] | undefined,
  steps: readonly number[] | undefined,
): Stretch[] {
  return starts.map((start, i) => {
    const axis = axisOf(axes?.[i] ?? i, shape.length);
    const size = shape[axis]!;
    const step = steps?.[i] ?? 1;
    if (step === 0 || ends[i] === undefined) throw new FormatError('step 0, or an end is missing');
    const bounded = (at: number, least: number, most: number): number =>
      Math.min(Math.max(at < 0 ? at + size : at, least), most);
    const begin = step > 0 ? bounded(start, 0, size) : bounded(start, 0, size - 1);
    const end = step > 0 ? bounded(ends[i]!, 0, size) : bounded(ends[i]!, -1, size - 1);
    return { axis, begin, count: Math.max(0, Math.ceil((end - begin) / step)), step };
  });
}

/**
 * For Split: the size of each output.
 *
 * @param given one size for each output, or none
 * @param outputs the number of outputs; without `given` their sizes are as equal as possible
 * @throws {FormatError}
 */
export function splitSizes(
  size: number,
  given: readonly number[] | undefined,
  outputs: number,
): number[] {
  const each = Math.ceil(size / outputs);
  const sizes = given?.length
    ? [...given]
    : Array.from({ length: Math.min(outputs, size) }, (_, i) => Math.min(each, size - i * each));
  const total = sizes.reduce((sum, own) => sum + own, 0);
  if (total === size && sizes.every((own) => Number.isInteger(own) && own >= 0)) return sizes;
  throw new FormatError(`${size} places are not split into [${sizes.slice(0, 16)}]`);
}
