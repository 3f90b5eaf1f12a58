/** Operators with vectors of their own: constants, PReLU, and batch norms that normalise nothing. */

import { describe, expect, it } from 'vitest';
import { adaptiveMean } from '../../src/model/graph/operators/adaptive-mean.js';
import { affine } from '../../src/model/graph/operators/affine.js';
import { arithmetic } from '../../src/model/graph/operators/arithmetic.js';
import { constant } from '../../src/model/graph/operators/constant.js';
import { input } from '../../src/model/graph/operators/input.js';
import { prelu } from '../../src/model/graph/operators/prelu.js';
import {
  Network,
  type RecognizedNetwork,
  sizeOf,
  type TensorSource,
} from '../../src/model/index.js';
import { BACKENDS, seededFloats } from '../kernels/backends.js';
import { conv, graphOf } from './graph/graph-of.js';

const SHAPES: Readonly<Record<string, readonly number[]>> = {
  position: [3, 3, 4],
  slope: [4],
  gamma: [4],
  beta: [4],
  'fc.weight': [4, 4, 3, 3],
};

/** Tensors of noise in the shapes given. */
function sourceOf(shapes: typeof SHAPES): TensorSource {
  const arrays = Object.entries(shapes).map(
    ([name, shape], i) => [name, seededFloats(sizeOf(shape), i + 1)] as const,
  );
  const data = new Map(arrays);
  return {
    name: 'noise',
    metadata: new Map(),
    tensors: new Map(
      Object.entries(shapes).map(([name, shape]) => [name, { dtype: 'F32', shape }]),
    ),
    readInto: (out, name, begin) => out.set(data.get(name)!.subarray(begin, begin + out.length)),
  };
}

const GRAPH = graphOf(
  ['x', input(4)],
  ['position', constant('position', 'position', { H: 3, W: 3, C: 4 }, false)],
  ['sum', arithmetic('add'), 'position', 'x'],
  ['act', prelu('act', 'slope', 4), 'sum'],
  ['scaled', affine('scaled', 4, [{ gamma: 'gamma', beta: 'beta' }]), 'act'],
  // The constant again: its buffer may have been overwritten, its layer not.
  ['again', constant('position', 'position', { H: 3, W: 3, C: 4 }, false)],
  ['product', arithmetic('mul'), 'scaled', 'again'],
  ['mean', adaptiveMean(1, 1), 'product'],
  ['fc', conv('fc', 4, 4), 'mean'],
);

function networkOf(shapes: typeof SHAPES): RecognizedNetwork {
  return {
    architecture: { family: 'test' },
    source: sourceOf(shapes),
    graph: GRAPH,
    activation: 'softmax',
    warnings: [],
    assumed: [],
    taken: Object.keys(shapes).length,
    prefix: '',
  };
}

describe.each(BACKENDS)('vectors on $name', async ({ make }) => {
  const kernels = await make();
  const preprocessing = { size: 3 };

  it('are constants, slopes, and factors without a norm', () => {
    const network = networkOf(SHAPES);
    const read = (name: string): Float32Array => {
      const out = new Float32Array(sizeOf(SHAPES[name]!));
      network.source.readInto(out, name, 0);
      return out;
    };
    const [position, slope, gamma, beta] = ['position', 'slope', 'gamma', 'beta'].map(read);
    const net = new Network(network, { kernels, preprocessing }).packAll();
    const x = seededFloats(3 * 36, 99);
    const forward = net.forward(3, 3, 3, { taps: ['product'] });
    // A second pass finds the constants as the first did.
    for (const _ of [1, 2]) {
      forward.input.set(x);
      forward.run();
    }
    const features = forward.features.slice();
    const expected = x.map((value, i) => {
      const sum = Math.fround(value + position![i % 36]!);
      const active = Math.fround(sum > 0 ? sum : slope![i % 4]! * sum);
      const scaled = Math.fround(Math.fround(active * gamma![i % 4]!) + beta![i % 4]!);
      return scaled * position![i % 36]!;
    });
    expect(features).toEqual(expected);
    net.dispose();
  });

  it('are folded into the convolution before them', () => {
    const graph = graphOf(
      ['x', input(4)],
      ['conv', conv('fc', 4, 4), 'x'],
      ['scaled', affine('scaled', 4, [{ gamma: 'gamma', beta: 'beta' }]), 'conv'],
    );
    const network = { ...networkOf(SHAPES), graph };
    const net = new Network(network, { kernels, preprocessing: { size: 1 } }).packAll();
    expect(net.prepared.graph.nodes).toHaveLength(2);
    const [weight, gamma, beta] = ['fc.weight', 'gamma', 'beta'].map((name) => {
      const out = new Float32Array(sizeOf(SHAPES[name]!));
      network.source.readInto(out, name, 0);
      return out;
    });
    const forward = net.forward(1, 1, 1, { taps: false });
    const x = forward.input.map((_, c) => c - 1.5);
    forward.input.set(x);
    forward.run();
    for (const [oc, logit] of forward.logits.entries()) {
      // One pixel meets the middle of the kernel alone.
      const sum = x.reduce((all, value, ic) => all + value * weight![(oc * 4 + ic) * 9 + 4]!, 0);
      const bound = 8 * 2 ** -24 * (Math.abs(sum) + 8);
      expect(Math.abs(logit - (gamma![oc]! * sum + beta![oc]!))).toBeLessThanOrEqual(bound);
    }
    net.dispose();
  });

  it.each<[string, typeof SHAPES, string]>([
    [
      'a constant of other extents',
      { ...SHAPES, position: [3, 4, 3] },
      'expected [3,3,4], got [3,4,3]',
    ],
    ['slopes of other channels', { ...SHAPES, slope: [1] }, 'tensor slope expected [4], got [1]'],
  ])('refuse %s', (_, shapes, message) => {
    expect(() => new Network(networkOf(shapes), { kernels, preprocessing })).toThrow(message);
  });
});
