/**
 * Networks with weights that anyone can regenerate from a hash; the goldens `resnet*_s<salt>` were
 * made with them. Tensor t of a torchvision state dict (goldens/state-dict-order.json) has index
 * salt + position, the input image salt + 10000. Element i, from 1, is
 *
 *   h = (i·0x9E3779B1) xor ((t+1)·0x85EBCA6B), then the murmur3 finaliser; u = h / 2³²
 *
 *   conv weight (2u−1)·√(6/fan_in) · batch-norm weight .5+u, times .3 for the last of a residual
 *   branch · batch-norm bias and mean .1(2u−1) · variance .5+u · fc.weight .05(2u−1) · fc.bias .1(2u−1)
 *
 * each computed in double precision and stored as float32; the image is 4u − 2, NCHW.
 */

import type { TensorSource } from '../src/model/index.js';
import type { StateDict } from '../src/node/architectures.js';
import stateDicts from './goldens/state-dict-order.json' with { type: 'json' };

export { resnetStateDict as stateDictOf } from '../src/node/architectures.js';

/** Names and shapes in torchvision's order, by architecture. */
export function torchvisionStateDict(name: string): StateDict {
  return (stateDicts as unknown as Record<string, StateDict>)[name]!;
}

/** The weights of a state dict, generated as they are read. */
export function hashWeights(dict: StateDict, salt: number): TensorSource {
  const bottleneck = dict.some(([name]) => name === 'layer1.0.conv3.weight');
  const positions = new Map(dict.map(([name], position) => [name, position]));
  return {
    name: `hash weights ${salt}`,
    metadata: new Map(),
    tensors: new Map(dict.map(([name, shape]) => [name, { dtype: 'F32', shape }])),
    readInto(out, name, begin) {
      const position = positions.get(name)!;
      const shape = dict[position]![1];
      hashTensor(out, salt + position, begin, law(name, shape, bottleneck));
    },
  };
}

/** The input image of `hashWeights(…, salt)`: NCHW, `length` values 4u − 2. */
export function hashImage(salt: number, length: number): Float32Array {
  const image = new Float32Array(length);
  hashTensor(image, salt + 10000, 0, (u) => 4 * u - 2);
  return image;
}

function law(name: string, shape: readonly number[], bottleneck: boolean): (u: number) => number {
  if (name === 'fc.weight') return (u) => 0.05 * (2 * u - 1);
  if (name === 'fc.bias') return (u) => 0.1 * (2 * u - 1);
  if (shape.length === 4) {
    const fanIn = shape[1]! * shape[2]! * shape[3]!;
    return (u) => (2 * u - 1) * Math.sqrt(6 / fanIn);
  }
  if (name.endsWith('running_var')) return (u) => 0.5 + u;
  if (!name.endsWith('.weight')) return (u) => 0.1 * (2 * u - 1);
  const lastOfBranch = name.includes(bottleneck ? '.bn3.' : '.bn2.');
  return (u) => (0.5 + u) * (lastOfBranch ? 0.3 : 1);
}

/** Elements `begin` … of tensor t. */
function hashTensor(
  out: Float32Array,
  t: number,
  begin: number,
  value: (u: number) => number,
): void {
  const salt = Math.imul(t + 1, 0x85ebca6b);
  for (let i = 0; i < out.length; i++) {
    let h = Math.imul(begin + i + 1, 0x9e3779b1) ^ salt;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    out[i] = value(((h ^ (h >>> 16)) >>> 0) / 2 ** 32);
  }
}
