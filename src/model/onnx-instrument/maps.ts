/**
 * Saliency maps in ONNX's operators: normalisation, combination, class activation. The formulas are those of
 * viz/normalize.ts, viz/combine.ts and methods/cam.ts; all values are float32.
 */

import type { NodeWriter } from './node-writer.js';
import { writeExtent } from './statistics.js';

/** Closed forms of class activation maps, as methods/cam.ts explains them. */
export type OnnxCamMethod = 'gradcam++' | 'gradcam' | 'xgradcam' | 'layercam' | 'hirescam';

export type Layout = 'nchw' | 'nhwc';

/** A map with a smaller range counts as constant. */
const SMALLEST_RANGE = 1e-30;
/** Above 0, but below the standard deviation of any map in [0, 1] that is not constant. */
const SMALLEST_SD = 1e-12;
/** The smallest span that the range normalisation divides by. */
const SMALLEST_SPAN = 1e-9;

/** The axis of channels in a value of four axes. */
export function channelAxis(layout: Layout): number {
  return layout === 'nchw' ? 1 : 3;
}

/** The axes of height and width. */
export function pixelAxes(layout: Layout): [number, number] {
  return layout === 'nchw' ? [2, 3] : [1, 2];
}

/**
 * The quantile of each value in the normal distribution fitted to its map, ½(1 + erf((φ − m)/(σ√2))), for each
 * picture separately. The map is scaled to [0, 1] first. This does not change the result, but keeps squares in
 * float32's range. It also makes a constant map exactly 0, so that its result is ½ everywhere.
 *
 * @param phi [N, h, w]
 * @returns the name of the scale map, [N, h, w]
 */
export function writeGaussian(w: NodeWriter, phi: string, output: string): string {
  const axes = [1, 2];
  const low = w.reduce('ReduceMin', phi, axes, true);
  const range = w.node('Sub', [w.reduce('ReduceMax', phi, axes, true), low]);
  const span = w.node('Max', [range, w.float(SMALLEST_RANGE)]);
  const x = w.node('Div', [w.node('Sub', [phi, low]), span]);
  const deviation = w.node('Sub', [x, w.reduce('ReduceMean', x, axes, true)]);
  const squares = w.reduce('ReduceSum', w.node('Mul', [deviation, deviation]), axes, true);
  const others = w.node('Sub', [writeExtent(w, phi, axes), w.float(1)]);
  const variance = w.node('Div', [squares, w.node('Max', [others, w.float(1)])]);
  const width = w.node('Mul', [w.node('Sqrt', [variance]), w.float(Math.SQRT2)]);
  const t = w.node('Div', [deviation, w.node('Max', [width, w.float(SMALLEST_SD)])]);
  const half = w.float(0.5);
  return w.node('Add', [w.node('Mul', [w.node('Erf', [t]), half]), half], {}, output);
}

/**
 * Σ shareᵢ·up(Fᵢ).
 *
 * @param maps [N, hᵢ, wᵢ]
 * @param shares weights with sum 1; a map of weight 0 is not read
 * @param sizes int64 [N, 1, H, W]
 * @returns the name of the combined map, [N, H, W]
 */
export function writeCombination(
  w: NodeWriter,
  maps: readonly string[],
  shares: readonly number[],
  sizes: string,
  output: string,
): string {
  const terms = maps.flatMap((map, i) => {
    const share = shares[i]!;
    return share === 0 ? [] : [w.node('Mul', [writeUpsampled(w, map, sizes), w.float(share)])];
  });
  const sum = terms.reduce((left, right) => w.node('Add', [left, right]));
  return w.squeeze(sum, [1], output);
}

/** A map [N, h, w], enlarged to the size of the input, [N, 1, H, W]. */
function writeUpsampled(w: NodeWriter, map: string, sizes: string): string {
  return w.resize(w.unsqueeze(map, [1]), sizes);
}

/** The values from which a class activation map is made. */
export interface ClassActivation {
  /** The features that the classifier averages, float32 of four axes. */
  readonly features: string;
  readonly layout: Layout;
  /** The class's row of the classifier, float32 [N, K], or any shape with as many values. */
  readonly row: string;
  readonly method: OnnxCamMethod;
  /** Int64 [N, 1, H, W]. */
  readonly sizes: string;
}

/** relu(Σ_k a_k A_k), enlarged and scaled to [0, 1]. @returns the name of the map, [N, H, W] */
export function writeClassActivation(
  w: NodeWriter,
  given: ClassActivation,
  output: string,
): string {
  const { features, layout, row, method, sizes } = given;
  const axes = pixelAxes(layout);
  const perChannel = layout === 'nchw' ? [0, -1, 1, 1] : [0, 1, 1, -1];
  const weights = w.node('Reshape', [row, w.ints(perChannel)]);
  const u = w.node('Div', [weights, writeExtent(w, features, axes)]);
  const a = writeChannelWeights(w, u, features, axes, method);
  const product = w.node('Mul', [a, features]);
  const sum = w.reduce('ReduceSum', product, [channelAxis(layout)], false);
  const map = writeUpsampled(w, w.node('Relu', [sum]), sizes);
  const low = w.reduce('ReduceMin', map, [2, 3], true);
  const range = w.node('Sub', [w.reduce('ReduceMax', map, [2, 3], true), low]);
  const span = w.node('Max', [range, w.float(SMALLEST_SPAN)]);
  return w.squeeze(w.node('Div', [w.node('Sub', [map, low]), span]), [1], output);
}

/** a_k from u_k and S_k = Σ_p A_pk, in the shape of u. */
function writeChannelWeights(
  w: NodeWriter,
  u: string,
  features: string,
  axes: readonly number[],
  method: OnnxCamMethod,
): string {
  if (method === 'gradcam' || method === 'hirescam') return u;
  if (method === 'layercam') return w.node('Relu', [u]);
  const sum = w.reduce('ReduceSum', features, axes, true);
  if (method === 'xgradcam') {
    return w.node('Div', [w.node('Mul', [u, sum]), w.node('Add', [sum, w.float(1e-6)])]);
  }
  const square = w.node('Mul', [u, u]);
  const cube = w.node('Mul', [square, u]);
  const twice = w.node('Add', [square, square]);
  const denominator = w.node('Add', [twice, w.node('Mul', [sum, cube])]);
  const isZero = w.node('Equal', [denominator, w.float(0)]);
  const safe = w.node('Where', [isZero, w.float(1), denominator]);
  const alpha = w.node('Div', [square, w.node('Add', [safe, w.float(1e-7)])]);
  return w.node('Mul', [w.node('Relu', [u]), alpha]);
}
