/**
 * ResNets whose weights are seeded noise, to measure by: activations keep a trained network's
 * magnitude, so no value is subnormal or infinite, and nothing has to be read from a file.
 */

import { FastCam } from '../explain.js';
import { type Backend, makeKernels } from '../kernels/index.js';
import {
  type Architecture,
  convolutionsOf,
  layersOf,
  namedArchitecture,
  type TensorSource,
} from '../model/index.js';
import type { Model } from './model-file.js';

/**
 * A network of noise by the name of its architecture.
 *
 * @throws {ShapeError} for a name that is not in the table
 */
export async function noiseModel(architecture: string, backend?: Backend): Promise<Model> {
  const weights = noiseWeights(namedArchitecture(architecture));
  const kernels = await makeKernels(backend);
  const net = new FastCam(weights, { kernels });
  return { name: `${architecture} of noise`, backend: kernels.name, net, labelled: false };
}

/** Weights uniform with He's variance; batch norms that change little. */
export function noiseWeights(architecture: Architecture): TensorSource {
  const shapes = shapesOf(architecture);
  const random = uniform();
  return {
    name: 'noise',
    metadata: new Map(),
    tensors: new Map(
      [...shapes].map(([name, shape]) => [name, { dtype: 'F32', shape, begin: 0, end: 0 }]),
    ),
    read(name) {
      const [length, ...rest] = shapes.get(name)!;
      const fanIn = rest.reduce((product, size) => product * size, 1);
      const values = new Float32Array(length! * fanIn);
      if (rest.length === 0) return values.fill(constantOf(name));
      const scale = Math.sqrt(6 / fanIn);
      for (let i = 0; i < values.length; i++) values[i] = random() * scale;
      return values;
    },
  };
}

/** A picture's worth of input, [size, size, 3]. */
export function noiseImage(size: number): Float32Array {
  return new Float32Array(size * size * 3).map((_, i) => Math.sin(i));
}

/** Names and shapes of a state dict. */
function shapesOf(architecture: Architecture): Map<string, readonly number[]> {
  const layers = layersOf(architecture);
  const { name: fc, Cin: features, Cout: classes } = layers.fc;
  const shapes = new Map<string, readonly number[]>();
  for (const { name, batchNorm, Cin, Cout, kernel, groups } of convolutionsOf(layers)) {
    shapes.set(`${name}.weight`, [Cout, Cin / groups, kernel, kernel]);
    for (const part of ['weight', 'bias', 'running_mean', 'running_var']) {
      shapes.set(`${batchNorm}.${part}`, [Cout]);
    }
  }
  return shapes.set(`${fc}.weight`, [classes, features]).set(`${fc}.bias`, [classes]);
}

/** What a batch norm's vector is filled with. The branch of a bottleneck adds little to its shortcut. */
function constantOf(name: string): number {
  if (name.endsWith('bn3.weight')) return 0.3;
  return name.endsWith('weight') || name.endsWith('running_var') ? 1 : 0;
}

/** Numbers in [−1, 1) that are the same every time (a linear congruential generator). */
function uniform(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}
