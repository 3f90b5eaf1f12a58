/**
 * What every convolution of the portable backend does with a sum before it is stored: it adds bias and
 * residual, applies the limits of the activation function, and runs the SMOE tap. The tap accumulates Σz and
 * a running product of each output column. A function that does more than clip is applied later to the whole
 * output (conv2d.ts), and then the tap runs later, too.
 */

import { type ActivationFunction, limitsOf } from '../activation.js';
import {
  PRODUCT_MAX,
  PRODUCT_MIN,
  positivePart,
  SMOE_EPS,
  smoeFromSums,
} from '../statistics/smoe.js';

/** What happens to a sum before it is stored. Arrays are [N, Hout, Wout, Cout], except `smoe`. */
export interface Conv2dEpilogue {
  readonly residual?: Float32Array | undefined;
  readonly activation?: ActivationFunction | undefined;
  /** [N, Hout, Wout]: receives SMOE Scale of each stored column. Values below 0 count as 0. */
  readonly smoe?: Float32Array | undefined;
}

/** The part of the epilogue that is applied to each value when it is stored. */
export interface StoredEpilogue {
  readonly residual: Float32Array | undefined;
  readonly least: number;
  readonly most: number;
  readonly smoe: Float32Array | undefined;
}

export function storedEpilogue({ residual, activation, smoe }: Conv2dEpilogue): StoredEpilogue {
  const limits = limitsOf(activation);
  if (limits) return { residual, least: limits[0], most: limits[1], smoe };
  return { residual, least: -Infinity, most: Infinity, smoe: undefined };
}

/** Working memory of `conv2d`, large enough for a shape or for the largest of several. */
export interface Conv2dScratch {
  /** Inputs of a block of pixels or tiles, in panels of four. */
  readonly a: Float64Array;
  /** One panel of weights; transformed for Winograd's algorithm. */
  readonly b: Float64Array;
  /** The same panel before its transform. */
  readonly wide: Float64Array;
  /** Products of four pixels by four channels: one tile, or one for each of Winograd's sixteen points. */
  readonly tile: Float64Array;
  /** The inputs of one Winograd tile. */
  readonly patch: Float64Array;
  /** For each pixel of the block: Σz, running product, Σlog2 of the products folded so far. */
  readonly sums: Float64Array;
  readonly products: Float64Array;
  readonly logSums: Float64Array;
}

/**
 * Stores `columns` ≤ 4 neighbouring channels of one pixel.
 *
 * @param base index of the first in `out`
 * @param at index of the first sum in `scratch.tile`
 * @param pixel its number in the block, for the tap
 * @param oc its channel, for the bias
 */
export function storeColumn(
  out: Float32Array,
  base: number,
  columns: number,
  at: number,
  pixel: number,
  oc: number,
  bias: Float32Array,
  { residual, least, most, smoe }: StoredEpilogue,
  { tile, sums, products, logSums }: Conv2dScratch,
): void {
  for (let j = 0; j < columns; j++) {
    let value = tile[at + j]! + bias[oc + j]!;
    if (residual !== undefined) value += residual[base + j]!;
    // Comparisons with NaN are false, so NaN stays.
    if (value < least) value = least;
    out[base + j] = value > most ? most : value;
  }
  if (smoe === undefined) return;
  // Reads the stored float32s, so that the tap equals smoeScale of the output. It multiplies four factors at
  // once: a product within [1e-150, 1e150] cannot overflow or underflow by any four float32 ≥ eps.
  let sum = sums[pixel]!;
  let product = products[pixel]!;
  for (let j = 0; j < columns; j++) {
    const z = positivePart(out[base + j]!) + SMOE_EPS;
    sum += z;
    product *= z;
  }
  if (product < PRODUCT_MIN || product > PRODUCT_MAX) {
    logSums[pixel]! += Math.log2(product);
    product = 1;
  }
  sums[pixel] = sum;
  products[pixel] = product;
}

/** Resets the sums of a block's pixels. */
export function clearSums({ sums, products, logSums }: Conv2dScratch, pixels: number): void {
  sums.fill(0, 0, pixels);
  products.fill(1, 0, pixels);
  logSums.fill(0, 0, pixels);
}

/** SMOE Scale of a pixel's column of C channels, once all of them are stored. */
export function finishSum(
  { sums, products, logSums }: Conv2dScratch,
  pixel: number,
  C: number,
): number {
  return smoeFromSums(sums[pixel]!, logSums[pixel]! + Math.log2(products[pixel]!), C);
}
