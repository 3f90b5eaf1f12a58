/**
 * Networks with seeded random weights, for measurements. Activations have the magnitude of a trained
 * network's, so no value is subnormal or infinite, and no file has to be read.
 */

import { networkOf } from '../explain.js';
import { type Backend, makeKernels } from '../kernels/index.js';
import type { TensorSource } from '../model/index.js';
import { namedArchitecture, type StateDict } from './architectures.js';
import type { Model } from './model-file.js';

/**
 * A network with random weights, by the name of its architecture.
 *
 * @throws {ShapeError} for a name that is not in the table
 */
export async function noiseModel(
  architecture: string,
  backend?: Backend,
): Promise<Omit<Model, 'options'>> {
  const weights = noiseWeights(namedArchitecture(architecture));
  const kernels = await makeKernels(backend);
  const net = networkOf(weights, { kernels });
  return {
    name: `${architecture} of noise`,
    backend: kernels.name,
    net,
    labelled: false,
    warnings: [],
  };
}

/** Uniform weights with He's variance; batch norms that change little. */
export function noiseWeights(dict: StateDict): TensorSource {
  const shapes = new Map(dict);
  const seeds = new Map([...shapes.keys()].map((name, t) => [name, Math.imul(t + 1, 0x85ebca6b)]));
  return {
    name: 'noise',
    metadata: new Map(),
    tensors: new Map([...shapes].map(([name, shape]) => [name, { dtype: 'F32', shape }])),
    readInto(out, name, begin) {
      const [, ...rest] = shapes.get(name)!;
      const seed = seeds.get(name)!;
      const scale = Math.sqrt(6 / rest.reduce((product, size) => product * size, 1));
      if (rest.length === 0) out.fill(constantOf(name));
      else for (let i = 0; i < out.length; i++) out[i] = noise((begin + i) ^ seed) * scale;
    },
  };
}

/** An input for one picture, [size, size, 3]. */
export function noiseImage(size: number): Float32Array {
  return new Float32Array(size * size * 3).map((_, i) => Math.sin(i));
}

/** The value that fills a vector. The branch of a bottleneck adds little to its shortcut. */
function constantOf(name: string): number {
  if (name.endsWith('bn3.weight')) return 0.3;
  return name.endsWith('weight') || name.endsWith('running_var') ? 1 : 0;
}

/** A number in [−1, 1) that looks random, from a whole number: the finaliser of murmur3. */
function noise(n: number): number {
  let h = Math.imul(n ^ (n >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1;
}
