/**
 * BiDiCAM, the later method of the authors (bidicam.py of github.com/LLNL/fastcam; no paper): SMOE Scale of activations
 * (forward) times SMOE Scale of gradients (backward). At each scale i of L, with activations A and gradients
 * G = ∂score/∂A, φ = SMOE Scale, norm = the Gaussian normaliser:
 *
 *   F_i = norm(φ(relu A))
 *   B_i = norm(φ(relu pool G)),  pool over 2×2 cells, resized back by nearest
 *   mix   r·norm(Σ_k mean(G_k)·A_k) + (1 − r)·B_i,  r = 1 − log2(L − i)/log2 L: from 0 at the first scale to 1 at the last
 *
 *   map = combine(F) · range(combine(B))
 *
 * The authors' hook reads the gradient of a layer's input; here it is that of the value itself.
 */

import { type Kernels, STATISTICS } from '../../kernels/operators.js';
import type { ValueShape } from '../../model/index.js';
import { normalizeGaussian, normalizeRange, type SaliencyMap, toNdArray } from '../../viz/index.js';
import { combinedMap, normalizedMap } from '../fastcam.js';
import { finite } from './finite.js';
import type { Passes } from './passes.js';

/** What a cell of 2×2 gradients becomes: their mean, their maximum, or of maximum and minimum the larger in size. */
export type GradientPooling = 'average' | 'maximum' | 'signed';

/** Names of the poolings, the authors' default first. */
export const GRADIENT_POOLINGS: readonly GradientPooling[] = ['signed', 'average', 'maximum'];

export interface BidicamOptions {
  readonly pooling: GradientPooling;
  /** Whether Grad-CAM is mixed into the backward maps. */
  readonly mix: boolean;
}

/**
 * @param names of the scales, first to last
 * @returns [H, W] of the input, in [0, 1]; 0 everywhere if all gradients are 0
 */
export function bidicam(
  passes: Passes,
  names: readonly string[],
  { pooling, mix }: BidicamOptions,
): SaliencyMap {
  const { input, net } = passes;
  const { values, gradients, shapes } = passes.at(names);
  const forward = shapes.map((shape, i) => forwardMap(values[i]!, shape, net.kernels));
  const backward = shapes.map((shape, i) => {
    const map = backwardMap(gradients[i]!, shape, pooling);
    if (mix) mixIn(map.data, gradcam(values[i]!, gradients[i]!, shape), mixShare(i, shapes.length));
    return map;
  });
  const size = [input.H, input.W] as const;
  const region = { x: 0, y: 0, width: input.W, height: input.H };
  const combine = (maps: readonly SaliencyMap[]): SaliencyMap =>
    combinedMap(net.kernels, maps, size, 'equal', region);
  const map = combine(backward);
  normalizeRange(map.data, map.data);
  const { data } = combine(forward);
  for (let p = 0; p < data.length; p++) map.data[p]! *= data[p]!;
  return map;
}

function forwardMap(A: Float32Array, { H, W, C }: ValueShape, kernels: Kernels): SaliencyMap {
  const raw = new Float32Array(H * W);
  STATISTICS.smoe.compute(raw, A, C);
  return normalizedMap(kernels, raw, [H, W]);
}

function backwardMap(
  G: Float32Array,
  { H, W, C }: ValueShape,
  pooling: GradientPooling,
): SaliencyMap {
  const columns = Math.ceil(W / 2);
  const cells = pooledCells(G, { H, W, C }, pooling);
  // SMOE Scale of a cell is that of each of its pixels.
  const raw = new Float32Array(cells.length / C);
  STATISTICS.smoe.compute(raw, cells, C);
  const map = Float32Array.from(
    { length: H * W },
    (_, p) => raw[(Math.floor(p / W) >> 1) * columns + ((p % W) >> 1)]!,
  );
  normalizeGaussian(map, map);
  return toNdArray(map, [H, W]);
}

/**
 * 2×2 cells with stride 2. At an odd edge a cell has fewer pixels.
 *
 * @param G [H, W, C]
 * @returns [⌈H/2⌉, ⌈W/2⌉, C]
 */
export function pooledCells(
  G: Float32Array,
  { H, W, C }: ValueShape,
  pooling: GradientPooling,
): Float32Array {
  const [rows, columns] = [Math.ceil(H / 2), Math.ceil(W / 2)];
  const out = new Float32Array(rows * columns * C);
  for (let i = 0; i < out.length; i++) {
    const [cell, c] = [Math.floor(i / C), i % C];
    const [top, left] = [2 * Math.floor(cell / columns), 2 * (cell % columns)];
    let [sum, count, max, min] = [0, 0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let y = top; y < Math.min(top + 2, H); y++) {
      for (let x = left; x < Math.min(left + 2, W); x++) {
        const g = finite(G[(y * W + x) * C + c]!);
        sum += g;
        count++;
        max = Math.max(max, g);
        min = Math.min(min, g);
      }
    }
    if (pooling === 'average') out[i] = sum / count;
    else out[i] = pooling === 'maximum' || max + min >= 0 ? max : min;
  }
  return out;
}

/** Σ_k mean(G_k)·A_k, with the Gaussian normaliser. */
function gradcam(A: Float32Array, G: Float32Array, { H, W, C }: ValueShape): Float64Array {
  const means = new Float64Array(C);
  for (let i = 0; i < G.length; i++) means[i % C]! += finite(G[i]!) / (H * W);
  const map = new Float64Array(H * W);
  for (let i = 0; i < A.length; i++) map[Math.floor(i / C)]! += means[i % C]! * A[i]!;
  normalizeGaussian(map, map);
  return map;
}

/** Share of Grad-CAM at scale i of L; 1 for a single scale, which is the last. */
function mixShare(i: number, L: number): number {
  return L === 1 ? 1 : 1 - Math.log2(L - i) / Math.log2(L);
}

function mixIn(map: Float32Array, cam: Float64Array, share: number): void {
  for (let p = 0; p < map.length; p++) map[p] = share * cam[p]! + (1 - share) * map[p]!;
}
