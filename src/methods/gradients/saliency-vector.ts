/**
 * The saliency vector: where the combined map is largest, and the activations there at every scale (`SaliencyVector` in
 * maps.py of github.com/LLNL/fastcam; no paper). It needs one forward pass.
 */

import { valueNamed } from '../../model/graph/node.js';
import { type Network, plan } from '../../model/index.js';
import type { ScaleWeights } from '../../viz/index.js';
import { combinedMap, normalizedMap } from '../fastcam.js';
import type { NetworkInput } from './passes.js';

/** The column of a scale under the peak. */
export interface PeakColumn {
  /** Name of the value where the scale ends. */
  readonly name: string;
  /** Its place in the value. */
  readonly x: number;
  readonly y: number;
  /** [C], the activations. */
  readonly values: Float32Array;
}

export interface SaliencyVector {
  /** The pixel of the network's input where the combined map is largest; the first of equal ones. */
  readonly x: number;
  readonly y: number;
  /** The combined map there, in [0, 1]. */
  readonly saliency: number;
  /** First scale to last. */
  readonly columns: readonly PeakColumn[];
}

/**
 * @param names of the values where scales end, first to last
 * @throws {ShapeError} for an unknown name, and as `Network.forward`
 */
export function saliencyVectorOf(
  net: Network,
  { data, H, W }: NetworkInput,
  names: readonly string[],
  weights: ScaleWeights,
): SaliencyVector {
  const key = `columns ${H} ${W} ${names.join(' ')}`;
  const pass = net.pass(key, () => {
    const { graph } = net.preparedAt(H, W);
    const ends = names.map((name) => valueNamed(graph, name));
    return { plan: plan({ graph, ends, kept: ends }, [1, H, W]) };
  });
  pass.input.set(data);
  pass.run();
  const { taps, kept } = pass.plan;
  const maps = taps.map((tap, i) => normalizedMap(net.kernels, pass.maps[i]!, [tap.H, tap.W]));
  const region = { x: 0, y: 0, width: W, height: H };
  const combined = combinedMap(net.kernels, maps, [H, W], weights, region).data;
  const peak = combined.reduce((best, value, p) => (value > combined[best]! ? p : best), 0);
  const [x, y] = [peak % W, Math.floor(peak / W)];
  const columns = kept.map(({ buffer, shape }, i) => {
    const [column, row] = [Math.floor((x * shape.W) / W), Math.floor((y * shape.H) / H)];
    const begin = (row * shape.W + column) * shape.C;
    const values = pass.buffer(buffer).slice(begin, begin + shape.C);
    return { name: names[i]!, x: column, y: row, values };
  });
  return { x, y, saliency: combined[peak]!, columns };
}
