/** Random weights: which layers get them, and from which values they are drawn. */

import { describe, expect, it } from 'vitest';
import { randomizedDepths, randomizedNetwork, spearmanRho } from '../../src/evaluate/index.js';
import { networkOf } from '../../src/explain.js';
import { jsKernels } from '../../src/kernels/index.js';
import {
  type ExpectedTensor,
  recognizeNetwork,
  sizeOf,
  type TensorSource,
} from '../../src/model/index.js';
import { hashWeights, stateDictOf } from '../hash-weights.js';
import { goldenNetwork, loaded } from './small-networks.js';

const dict = stateDictOf({ block: 'basic', depths: [1, 1, 1, 1], width: 8, classes: 5 });

function read(source: TensorSource, name: string): Float32Array {
  const out = new Float32Array(sizeOf(source.tensors.get(name)!.shape));
  source.readInto(out, name, 0);
  return out;
}

const trained = recognizeNetwork(hashWeights(dict, 7));
const net = networkOf(trained, { kernels: jsKernels() });
const depths = randomizedDepths(net);
const at = (depth: number, seed = 1) =>
  randomizedNetwork(trained, net, depths[depth]!.layers, seed);

describe('depths of random weights', () => {
  it('go from the logits to the first scale, each with the layers of the one before', () => {
    expect(depths.map(({ name }) => name)).toEqual(['logits', ...[...net.scales].reverse()]);
    expect(depths[0]!.layers.length).toBe(1);
    for (const [d, { layers }] of depths.slice(1).entries()) {
      expect(layers.slice(0, depths[d]!.layers.length)).toEqual(depths[d]!.layers);
      expect(layers.length).toBeGreaterThan(depths[d]!.layers.length);
    }
    expect(new Set(depths.at(-1)!.layers)).toEqual(new Set(net.tensors.keys()));
  });

  it('have one part with all layers if no scale ends, or several behind the last', () => {
    const small = loaded(goldenNetwork());
    const own = randomizedDepths(small);
    expect(own.at(-1)!.layers).toEqual(expect.arrayContaining([...small.tensors.keys()]));
  });
});

describe('random weights', () => {
  it('replace those of the layers, and no others', () => {
    const { source } = at(1);
    const random = new Set(
      depths[1]!.layers.flatMap((key) => net.tensors.get(key)!.map(([n]) => n)),
    );
    for (const tensors of net.tensors.values()) {
      for (const [name] of tensors) {
        const same = spearmanRho(read(source, name), read(trained.source, name)) > 0.99;
        expect(same, name).toBe(!random.has(name));
      }
    }
  });

  it('are values of the same tensor; of a channel those of one channel in all tensors', () => {
    const { source } = at(depths.length - 1);
    for (const tensors of net.tensors.values()) {
      const [[kernel], ...vectors] = tensors as readonly [ExpectedTensor, ...ExpectedTensor[]];
      const own = new Set(read(trained.source, kernel));
      expect(read(source, kernel).every((value) => own.has(value))).toBe(true);
      const drawn = vectors.map(([name]) => {
        const before = [...read(trained.source, name)];
        return [...read(source, name)].map((value) => before.indexOf(value));
      });
      for (const indices of drawn) expect(indices).toEqual(drawn[0]);
    }
  });

  it('are the same for the same seed at every depth, whatever the pieces that are read', () => {
    const name = 'layer4.0.conv1.weight';
    const whole = read(at(1).source, name);
    expect(read(at(3).source, name)).toEqual(whole);
    expect(read(at(1, 2).source, name)).not.toEqual(whole);
    const { source } = at(1);
    const piece = new Float32Array(10);
    source.readInto(piece, name, 20);
    source.readInto(new Float32Array(5), 'fc.bias', 0);
    expect(piece).toEqual(whole.subarray(20, 30));
    source.readInto(piece, name, 0);
    expect(piece).toEqual(whole.subarray(0, 10));
  });

  it('make a network that runs and says something else', () => {
    const image = {
      data: new Float32Array(3 * 64 * 64).map((_, i) => Math.sin(i)),
      shape: [1, 3, 64, 64],
    };
    const logits = depths.map((_, d) => {
      const random = networkOf(at(d), { kernels: jsKernels() });
      const forward = random.forward(1, 64, 64, { taps: false });
      forward.input.set(image.data);
      forward.run();
      return [...forward.logits];
    });
    for (const values of logits) expect(values.every(Number.isFinite)).toBe(true);
    expect(new Set(logits.map(String)).size).toBe(depths.length);
  });
});
