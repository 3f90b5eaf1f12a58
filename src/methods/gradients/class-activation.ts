/**
 * Class activation maps at any value A [pixels, K] of any network. With the gradient G = ∂score/∂A and the sums
 * S_k = Σ_p A[p, k]:
 *
 *   map[p] = relu( Σ_k w[p, k] · A[p, k] )
 *   Grad-CAM    w = mean_q G[q, k]                                            (Selvaraju et al., arXiv 1610.02391)
 *   Grad-CAM++  w = Σ_q α[q, k]·relu(G[q, k]), α = G² / (2G² + S_k·G³ + 1e-7)  (Chattopadhay et al., arXiv 1710.11063)
 *   XGrad-CAM   w = Σ_q G[q, k]·A[q, k] / (S_k + 1e-6)                        (Fu et al., arXiv 2008.02312)
 *   LayerCAM    w = relu(G[p, k])                                             (Jiang et al., IEEE TIP 2021)
 *   HiResCAM    w = G[p, k]                                                   (Draelos & Carin, arXiv 2011.08891)
 *
 * For global average pool + linear they are the closed forms of methods/cam.ts.
 */

import type { ValueShape } from '../../model/index.js';
import {
  combineMaps,
  normalizeRange,
  type SaliencyMap,
  toNdArray,
  upsampleBilinear,
} from '../../viz/index.js';
import type { CamMethod } from '../cam.js';
import { finite, nearestFloat } from './finite.js';
import type { Passes } from './passes.js';

/**
 * The class activation map at the resolution of the value: ≥ 0, finite, not normalised. Sums are in doubles. A gradient
 * that is not finite counts as 0, and so does a weight that would divide by 0.
 *
 * @param out [H·W], overwritten
 * @param activations A, [H, W, C]
 * @param gradients G, [H, W, C]
 * @param shape extents of the value for one picture
 */
export function classActivationOf(
  out: Float32Array,
  activations: Float32Array,
  gradients: Float32Array,
  { C }: ValueShape,
  method: CamMethod,
): void {
  const isLocal = method === 'layercam' || method === 'hirescam';
  const weights = isLocal ? undefined : channelWeights(activations, gradients, C, method);
  for (let p = 0; p < out.length; p++) {
    let sum = 0;
    for (let k = 0; k < C; k++) {
      const g = weights ? weights[k]! : finite(gradients[p * C + k]!);
      sum += (method === 'layercam' ? Math.max(g, 0) : g) * activations[p * C + k]!;
    }
    out[p] = nearestFloat(Math.max(sum, 0));
  }
}

/** w_k of the methods that have one weight for each channel. */
function channelWeights(
  A: Float32Array,
  G: Float32Array,
  C: number,
  method: 'gradcam' | 'gradcam++' | 'xgradcam',
): Float64Array {
  const pixels = A.length / C;
  const sums = new Float64Array(C);
  for (let i = 0; i < A.length; i++) sums[i % C]! += A[i]!;
  const weights = new Float64Array(C);
  for (let i = 0; i < A.length; i++) {
    const k = i % C;
    const g = finite(G[i]!);
    if (method === 'gradcam') weights[k]! += g / pixels;
    else if (method === 'xgradcam') weights[k]! += g * A[i]!;
    else if (g > 0) {
      // The authors' code replaces a zero denominator by 1 before it adds 1e-7.
      const denominator = 2 * g ** 2 + sums[k]! * g ** 3;
      weights[k]! += (g ** 2 / ((denominator === 0 ? 1 : denominator) + 1e-7)) * g;
    }
  }
  return weights.map((w, k) => finite(method === 'xgradcam' ? w / (sums[k]! + 1e-6) : w));
}

/**
 * The map of a picture at the size of the network's input: upsampled and range-normalised. With several values, the
 * mean of their maps.
 *
 * @param names of the values
 * @param x [H, W, channels]; default: the picture
 * @returns [H, W] in [0, 1]; the map of one value is 0 everywhere if it has no differences
 */
export function classActivationMap(
  passes: Passes,
  names: readonly string[],
  method: CamMethod,
  x?: Float32Array,
): SaliencyMap {
  const { H, W } = passes.input;
  const { values, gradients, shapes } = passes.at(names, x);
  const maps = shapes.map((shape, i) => {
    const coarse = new Float32Array(shape.H * shape.W);
    classActivationOf(coarse, values[i]!, gradients[i]!, shape, method);
    const map = new Float32Array(H * W);
    upsampleBilinear(map, [H, W], toNdArray(coarse, [shape.H, shape.W]));
    normalizeRange(map, map);
    return toNdArray(map, [H, W]);
  });
  return combineMaps(maps, [H, W]);
}
