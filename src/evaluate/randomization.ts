/**
 * The model-randomisation check (Adebayo et al., Sanity Checks for Saliency Maps, arXiv 1810.03292): layers get random
 * weights, from the logits down, more of them at each depth. A map that explains the network must change; one that stays
 * the same shows edges of the picture. How similar it stays is Spearman's ρ to the map of the trained network.
 *
 * Weights are drawn anew from the layer's own values: every weight of a kernel from all of them; for each channel bias and
 * batch norm together from one of the layer's channels. So the sizes of activations stay roughly as they were, for any
 * family of networks, and whatever the layer learned is lost. The paper draws from the distribution of the initialisation,
 * which a file of weights does not tell.
 */

import { uniformGenerator } from '../math/normal-generator.js';
import {
  type ExpectedTensor,
  isConv,
  type Network,
  type RecognizedNetwork,
  sizeOf,
  type TensorSource,
} from '../model/index.js';

/** How far down layers are random. */
export interface RandomizedDepth {
  /** `logits`, or the scale down to whose layers, these included, all are random. */
  readonly name: string;
  /** Keys of the random layers: those of the depth before, and more. */
  readonly layers: readonly string[];
}

/** The depths of a network: what comes after the last scale; then scale by scale. Parts without weights are left out. */
export function randomizedDepths({ prepared, scales }: Network): RandomizedDepth[] {
  const { graph, ends } = prepared;
  const parts: string[][] = Array.from({ length: ends.length + 1 }, () => []);
  for (const [i, { operator }] of graph.nodes.entries()) {
    const { layer } = operator as { layer?: string };
    if (layer === undefined || !prepared.layers.has(layer)) continue;
    parts[ends.filter((end) => end < i).length]!.push(layer);
  }
  const depths: RandomizedDepth[] = [];
  for (let part = parts.length - 1; part >= 0; part--) {
    if (parts[part]!.length === 0) continue;
    const before = depths.at(-1)?.layers ?? [];
    depths.push({ name: scales[part] ?? 'logits', layers: [...before, ...parts[part]!] });
  }
  return depths;
}

/**
 * A network with random weights in some layers; nothing of it is packed yet.
 *
 * @param recognized the trained network, whose tensors can be read
 * @param net the same network, for the tensors of each layer
 * @param layers keys of the layers whose weights are drawn
 * @param seed the same seed gives the same weights. A layer has the same weights at every depth
 */
export function randomizedNetwork(
  recognized: RecognizedNetwork,
  net: Network,
  layers: readonly string[],
  seed: number,
): RecognizedNetwork {
  const { source } = recognized;
  const keys = [...net.tensors.keys()];
  const drawn = new Map<string, DrawnTensor>();
  for (const key of layers) {
    const tensors = net.tensors.get(key)!;
    const hasKernel = isConv(net.prepared.layers.get(key)!);
    const own = Math.imul(keys.indexOf(key) + 1, 0x9e3779b1) ^ seed;
    for (const [i, tensor] of tensors.entries()) {
      drawn.set(tensor[0], { tensor, isKernel: hasKernel && i === 0, seed: own });
    }
  }
  return { ...recognized, source: { ...source, readInto: reader(source, drawn) } };
}

interface DrawnTensor {
  readonly tensor: ExpectedTensor;
  /** Whether each element is drawn for itself; else the tensors of a layer share the draws of their channels. */
  readonly isKernel: boolean;
  readonly seed: number;
}

/** Tensors are read piece by piece, in order. So only the last one is kept. */
function reader(
  source: TensorSource,
  drawn: ReadonlyMap<string, DrawnTensor>,
): TensorSource['readInto'] {
  let last: { readonly name: string; readonly values: Float32Array } | undefined;
  return (out, name, begin) => {
    const draw = drawn.get(name);
    if (!draw) {
      source.readInto(out, name, begin);
      return;
    }
    if (last?.name !== name) last = { name, values: drawnValues(source, draw) };
    out.set(last.values.subarray(begin, begin + out.length));
  };
}

function drawnValues(source: TensorSource, { tensor, isKernel, seed }: DrawnTensor): Float32Array {
  const [name, shape] = tensor;
  const values = new Float32Array(sizeOf(shape));
  source.readInto(values, name, 0);
  // The kernel's draws do not continue those of the channels.
  const next = uniformGenerator(isKernel ? seed ^ 0x5bd1e995 : seed);
  return values.map(() => values[Math.floor(next() * values.length)]!);
}
