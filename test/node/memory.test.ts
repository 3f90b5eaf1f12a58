import { describe, expect, it, vi } from 'vitest';
import { networkOf } from '../../src/explain.js';
import { jsKernels, PRECISIONS, wasmKernels } from '../../src/kernels/index.js';
import {
  type PreparedNetwork,
  packedBytes,
  prepareNetwork,
  recognizeNetwork,
} from '../../src/model/index.js';
import {
  namedArchitecture,
  parameterCount,
  type ResNetShape,
  type StateDict,
} from '../../src/node/architectures.js';
import { largestInput, memoryOf } from '../../src/node/memory.js';
import { goldenWeights } from '../goldens.js';
import { hashWeights, stateDictOf, torchvisionStateDict } from '../hash-weights.js';
import { BACKENDS } from '../kernels/backends.js';
import { watchLinearMemory } from '../linear-memory.js';

/** Every kind of layer, and numbers of channels that no panel divides. */
const ODD: Partial<ResNetShape> = { depths: [1, 2], width: 12, classes: 7 };
const GROUPED: Partial<ResNetShape> = { ...ODD, width: 16, groups: 4, widthPerGroup: 24 };
const BASIC: Partial<ResNetShape> = { block: 'basic', depths: [1, 1, 1, 1], classes: 10 };

/** A network as it is before its weights are read. */
const prepared = (dict: StateDict): PreparedNetwork =>
  prepareNetwork(recognizeNetwork(hashWeights(dict, 1)).graph, 224);

const sizes = [
  [1, 1, 1],
  [1, 64, 64],
  [2, 33, 57],
  [1, 224, 160],
] as const;

describe.each(BACKENDS)('the memory of a network on $name', async ({ make }) => {
  const kernels = await make();

  it.each([
    ['odd channels', ODD],
    ['groups', GROUPED],
    ['basic blocks', BASIC],
    ['a dense block', 'densenet'],
    ['a plain network', 'vgg'],
  ])('is what is allocated: %s', (_, shape) => {
    const weights =
      typeof shape === 'string' ? goldenWeights(shape) : hashWeights(stateDictOf(shape), 1);
    for (const precision of PRECISIONS) {
      const net = networkOf(weights, { kernels, precision });
      for (const size of typeof shape === 'string' ? [[1, 96, 128] as const] : sizes) {
        const memory = memoryOf(kernels, net.prepared, size, precision);
        const { weightBytes, arenaBytes, scratchBytes } = memory;
        expect(weightBytes).toBe(net.weightBytes);
        const { plan, bytes } = net.forward(size[0], size[1], size[2]);
        expect([arenaBytes, arenaBytes + scratchBytes]).toEqual([plan.arenaBytes, bytes]);
      }
    }
  });

  it('is the memory that an explanation holds, with maps at the size of the input', () => {
    const net = networkOf(hashWeights(stateDictOf(BASIC), 1), { kernels });
    const picture = { data: new Uint8Array(4 * 64 * 64).fill(90), width: 64, height: 64 };
    const e = net.explain(picture, { size: 64 });
    const { camMap, fastcamMap, nonClassMap, combinedMap, logits } = e;
    const maps = [camMap, fastcamMap, nonClassMap, combinedMap, ...e.rawMaps, ...e.scaleMaps];
    const features = net.forward(1, ...e.inputSize).features.byteLength;
    const held = [...maps.map(({ data }) => 4 * data.length), logits.byteLength, features];
    const { mapBytes, totalBytes, ...parts } = memoryOf(kernels, net.prepared, [1, ...e.inputSize]);
    expect(mapBytes).toBe(held.reduce((a, b) => a + b) + e.lovi().data.length);
    expect(totalBytes).toBe(Object.values(parts).reduce((a, b) => a + b) + mapBytes);
  });

  it('is computed for the largest network and input without allocating', () => {
    const largest = prepared(namedArchitecture('resnext101_32x8d'));
    for (const type of [ArrayBuffer, Float32Array, Float64Array]) {
      const construct = () => expect.fail(`a ${type.name} was made`);
      vi.stubGlobal(type.name, new Proxy(type, { construct }));
    }
    try {
      const { totalBytes } = memoryOf(kernels, largest, [8, 4096, 4096]);
      expect(totalBytes).toBeGreaterThan(2 ** 34);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('has 4, 2 or 1 bytes a weight, early layers one step finer, and a scale for each channel below 4', () => {
    const net = prepared(namedArchitecture('resnet50'));
    const [f32, f16, int8] = PRECISIONS.map((p) => packedBytes(kernels, net.resting(p)));
    // A ResNet-50 has 26,560 output channels and 1000 classes, multiples of a panel.
    const channels = 27_560;
    const weights = 25_502_912;
    // The stem and two stages, the classifier.
    const early = { weights: 9_408 + 212_992 + 1_212_416, channels: 64 + 1_408 + 3_584 };
    const fc = 2_048_000;
    expect(f32).toBe(4 * weights + 4 * channels);
    expect(f16).toBe(2 * weights + 8 * channels + 2 * early.weights - 4 * early.channels);
    expect(int8).toBe(weights + 8 * channels + early.weights + fc);
  });
});

it('is the linear memory of the SIMD backend, to a page and a cache line for each layer', async () => {
  const memory = watchLinearMemory();
  const kernels = await wasmKernels('simd');
  const net = networkOf(hashWeights(stateDictOf(BASIC), 1), { kernels });
  const { plan, bytes } = net.forward(1, 224, 224);
  const more = memory.byteLength - net.weightBytes - bytes;
  expect(more).toBeGreaterThanOrEqual(0);
  expect(more).toBeLessThan(2 ** 16 + 64 * plan.steps.length);
});

describe('largestInput', () => {
  const kernels = jsKernels();
  const net = prepared(namedArchitecture('resnet18'));
  const bytesAt = (side: number) => memoryOf(kernels, net, [1, side, side]).totalBytes;

  it('fits, and the next larger does not', () => {
    for (const budgetBytes of [bytesAt(224), bytesAt(224) - 1, 64e6, 100e6, 1e9]) {
      const side = largestInput(kernels, net, budgetBytes);
      expect(bytesAt(side)).toBeLessThanOrEqual(budgetBytes);
      expect(bytesAt(side + 32)).toBeGreaterThan(budgetBytes);
    }
    expect(largestInput(kernels, net, bytesAt(224))).toBe(224);
  });

  it('is 0 if nothing fits, and 4096 if everything does', () => {
    expect(largestInput(kernels, net, 40e6)).toBe(0);
    expect(largestInput(kernels, net, 1e12)).toBe(4096);
    expect(largestInput(kernels, net, 40e6, 'f16')).toBeGreaterThan(224);
  });
});

describe('parameterCount', () => {
  it.each(['resnet18', 'resnet50'])('is the number of parameters in a %s file', (name) => {
    const floats = torchvisionStateDict(name)
      .filter(([tensor]) => !tensor.endsWith('num_batches_tracked'))
      .reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(parameterCount(namedArchitecture(name))).toBe(floats);
  });
});

describe.each(BACKENDS)('a budget on $name', async ({ make }) => {
  const kernels = await make();
  const source = hashWeights(stateDictOf(BASIC), 1);
  const { weightBytes, arenaBytes, scratchBytes } = memoryOf(
    kernels,
    prepared(stateDictOf(BASIC)),
    [1, 64, 64],
  );
  const load = (budgetBytes: number) => networkOf(source, { kernels, budgetBytes });

  it('smaller than the weights refuses them before anything is packed, and states every number', () => {
    const reserve = vi.spyOn(kernels, 'reserve');
    expect(() => load(weightBytes - 1)).toThrow(
      /^load: an input of 1×224×224 takes \d+\.\d MB beside 19\.\d MB of weights, and the limit is 19\.\d MB: choose a smaller network$/,
    );
    expect(reserve).not.toHaveBeenCalled();
    reserve.mockRestore();
  });

  it('lets a pass that fits run and refuses the next size before it is bound', () => {
    const net = load(weightBytes + arenaBytes + scratchBytes);
    const pass = net.forward(1, 64, 64);
    const bind = vi.spyOn(kernels, 'bind');
    expect(() => net.forward(1, 96, 96)).toThrow(
      /^forward: an input of 1×96×96 takes \d+\.\d MB beside 19\.\d MB of weights, and the limit is \d+\.\d MB: choose a smaller size$/,
    );
    expect(bind).not.toHaveBeenCalled();
    // What was refused has cost nothing: the pass before it is still there.
    expect(net.forward(1, 64, 64)).toBe(pass);
    pass.run();
    bind.mockRestore();
  });
});
