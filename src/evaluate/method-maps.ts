/** The maps that are measured: of every compared method, and two that know nothing of the network. */

import { attribute } from '../attribute.js';
import { ShapeError } from '../errors.js';
import { explain, type FloatTensor } from '../explain.js';
import { flatten } from '../kernels/operators.js';
import { uniformGenerator } from '../math/normal-generator.js';
import { COMPARED_METHODS } from '../methods/gradients/comparison.js';
import type { NetworkInput } from '../methods/gradients/passes.js';
import type { Network } from '../model/index.js';

export interface EvaluatedMethod {
  /** As of `COMPARED_METHODS`; or `random`, `center`. */
  readonly name: string;
  readonly title: string;
  /** Whether it does not look at the network, and shows what chance gives. */
  readonly isFloor: boolean;
}

/** The floor last: a method that is no better tells nothing. */
export const EVALUATED_METHODS: readonly EvaluatedMethod[] = [
  ...COMPARED_METHODS.map(({ name, title }) => ({ name, title, isFloor: false })),
  { name: 'random', title: 'Random', isFloor: true },
  { name: 'center', title: 'Centred Gaussian', isFloor: true },
];

export interface MapOptions {
  /** Index of the class. */
  readonly target: number;
  /** Of the random map, and of the noise of smoothed gradients. */
  readonly seed: number;
  /** Values to measure SMOE Scale at, instead of the ends of scales. */
  readonly taps?: readonly string[];
}

/** Standard deviations of the centred Gaussian, as a share of each side. */
const CENTER_DEVIATION = 0.25;

/**
 * The map of a method at the size of the network's input.
 *
 * @param name of a method in `EVALUATED_METHODS`
 * @returns [H·W]; the random map is uniform in [0, 1), the Gaussian is 1 in the centre
 * @throws {ShapeError} for an unknown method, or one that the network does not allow
 */
export function methodMap(
  net: Network,
  input: NetworkInput,
  name: string,
  { target, seed, taps }: MapOptions,
): Float32Array {
  if (name === 'random') {
    const next = uniformGenerator(seed);
    return Float32Array.from({ length: input.H * input.W }, next);
  }
  if (name === 'center') return centredGaussian(input);
  const compared = COMPARED_METHODS.find((method) => method.name === name);
  if (!compared) throw new ShapeError(`methods: no method is called ${name}`);
  const tensor = tensorOf(input);
  const { method, smoothing } = compared;
  if (method !== 'saliency' && method !== 'fastcam') {
    return attribute(net, tensor, { method, smoothing, target, seed }).map.data;
  }
  const cam = method === 'saliency' ? 'none' : 'gradcam++';
  const explanation = explain(net, tensor, { target, cam, ...(taps && { taps }) });
  return (method === 'saliency' ? explanation.combinedMap : explanation.fastcamMap).data;
}

function centredGaussian({ H, W }: NetworkInput): Float32Array {
  return Float32Array.from({ length: H * W }, (_, i) => {
    const x = ((i % W) + 0.5) / W - 0.5;
    const y = (Math.floor(i / W) + 0.5) / H - 0.5;
    return Math.exp(-(x * x + y * y) / (2 * CENTER_DEVIATION ** 2));
  });
}

/** The input as `explain` and `attribute` take it. */
export function tensorOf({ data, H, W }: NetworkInput): FloatTensor {
  const C = data.length / (H * W);
  const out = new Float32Array(data.length);
  flatten(out, data, [1, H * W, C]);
  return { data: out, shape: [1, C, H, W] };
}
