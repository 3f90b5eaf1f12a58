import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ExplainingNetwork, networkOf } from '../../src/explain.js';
import { isConv2d, jsKernels } from '../../src/kernels/index.js';
import type { NetOptions, TensorSource } from '../../src/model/index.js';
import type { ResNetShape } from '../../src/node/architectures.js';
import { hashImage, hashWeights, stateDictOf } from '../hash-weights.js';
import { BACKENDS } from '../kernels/backends.js';

/** Small enough to run in milliseconds, with every kind of step in it. */
const SMALL: Partial<ResNetShape> = { depths: [1, 2], width: 8, classes: 5 };

function small(
  shape: Partial<ResNetShape> = {},
  options: Partial<NetOptions> = {},
): ExplainingNetwork {
  const weights = hashWeights(stateDictOf({ ...SMALL, ...shape }), 3);
  return networkOf(weights, { kernels: jsKernels(), ...options });
}

/** The source with one tensor replaced or, without a replacement, taken out. */
function changed(tensor: string, shape?: number[], data?: Float32Array): TensorSource {
  const source = hashWeights(stateDictOf(SMALL), 3);
  const tensors = new Map(source.tensors);
  if (shape) tensors.set(tensor, { dtype: 'F32', shape });
  else tensors.delete(tensor);
  return {
    ...source,
    tensors,
    readInto(out, name, begin) {
      if (name === tensor && data) out.set(data.subarray(begin, begin + out.length));
      else source.readInto(out, name, begin);
    },
  };
}

const load = (source: TensorSource): ExplainingNetwork =>
  networkOf(source, { kernels: jsKernels() });

describe.each(BACKENDS)('a forward pass on $name', async ({ name, make }) => {
  const dict = stateDictOf(SMALL);
  const net = networkOf(hashWeights(dict, 3), { kernels: await make() });
  const image = hashImage(3, 2 * 40 * 33 * 3);

  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it('gives the same bits for the same input, and other bits for another', () => {
    const pass = net.forward(1, 40, 33);
    pass.input.set(image.subarray(0, pass.input.length));
    pass.run();
    const [logits, ...maps] = [pass.logits, ...pass.maps].map((a) => a.slice());
    pass.input.set(image.subarray(pass.input.length));
    pass.run();
    expect(pass.logits).not.toEqual(logits);
    pass.input.set(image.subarray(0, pass.input.length));
    pass.run();
    expect(pass.logits).toEqual(logits);
    expect(pass.maps).toEqual(maps);
  });

  it('gives the same logits and features with and without taps', () => {
    const run = (taps: boolean): Float32Array[] => {
      const pass = net.forward(1, 40, 33, { taps });
      pass.input.set(image.subarray(0, pass.input.length));
      pass.run();
      return [pass.logits.slice(), pass.features.slice()];
    };
    expect(run(false)).toEqual(run(true));
  });

  it('gives item i of a batch the bits of item i alone', () => {
    const both = net.forward(2, 40, 33);
    both.input.set(image);
    both.run();
    const [logits, ...maps] = [both.logits, ...both.maps].map((a) => a.slice());
    for (let n = 0; n < 2; n++) {
      const half = <T extends Float32Array>(a: T) =>
        a.slice((n * a.length) / 2, ((n + 1) * a.length) / 2);
      const one = net.forward(1, 40, 33);
      one.input.set(half(image));
      one.run();
      expect(one.logits).toEqual(half(logits!));
      expect(one.maps).toEqual(maps.map(half));
    }
  });

  it('names the algorithm of every convolution: Winograd’s only for 3×3 at stride 1 with enough tiles', () => {
    const pass = net.forward(1, 64, 64);
    for (const [i, step] of pass.plan.steps.entries()) {
      const algorithm = pass.algorithm(i);
      if (isConv2d(step)) {
        const { kH, strideY, Hout, Cin, Cout } = step.shape;
        const other = name === 'js' || Cin < 4 || Cout < 32 || !step.sparse ? 'gemm' : 'sparse';
        const isSmall = name !== 'js' && Hout <= 8;
        const fits = kH === 3 && strideY === 1 && !isSmall && name !== 'simd without Winograd';
        expect(algorithm, step.weights).toBe(fits ? 'winograd' : other);
      } else {
        expect(algorithm).toBeUndefined();
      }
    }
  });

  it.each(['smoe', 'gamma', 'truncated-normal-entropy'] as const)(
    'allocates nothing after the first time, measuring %s',
    (statistic) => {
      const pass = net.forward(1, 40, 33, { statistic });
      pass.input.set(image.subarray(0, pass.input.length));
      pass.run();
      let made = 0;
      const count = <T extends object>(original: T): T =>
        new Proxy(original, {
          construct: (target, args, newTarget) => {
            made++;
            return Reflect.construct(target as never, args, newTarget);
          },
        });
      for (const type of [
        ArrayBuffer,
        Float32Array,
        Float64Array,
        Int32Array,
        Uint8Array,
        DataView,
      ]) {
        vi.stubGlobal(type.name, count(type));
      }
      const typedArray = Object.getPrototypeOf(Float32Array.prototype) as Float32Array;
      for (const method of ['subarray', 'slice', 'map'] as const) {
        const original = typedArray[method] as (...args: unknown[]) => unknown;
        vi.spyOn(typedArray, method as 'slice').mockImplementation(function (
          this: unknown,
          ...args
        ) {
          made++;
          return original.apply(this, args) as never;
        });
      }
      // The counter counts.
      new Float32Array(1).slice();
      expect(made).toBe(2);
      const again = net.forward(1, 40, 33, { statistic });
      again.run();
      const madeByForward = made - 2;
      vi.restoreAllMocks();
      expect(madeByForward).toBe(0);
      expect(again).toBe(pass);
    },
  );

  it.each([
    [1, 1, 1],
    [1, 2, 3],
    [2, 31, 65],
  ] as const)('runs on N=%i, %i×%i pixels and gives finite values', (N, H, W) => {
    const pass = net.forward(N, H, W);
    pass.input.set(image.subarray(0, pass.input.length));
    pass.run();
    for (const values of [pass.logits, ...pass.maps]) {
      expect(values.every(Number.isFinite)).toBe(true);
    }
  });
});

describe('ResNet', () => {
  it('has the stride of a bottleneck on the 3×3 or on the first 1×1, as the option says: logits differ', () => {
    const run = (strideOn: '3x3' | '1x1'): Float32Array => {
      const pass = small({}, { strideOn }).forward(1, 32, 32);
      pass.input.set(hashImage(3, pass.input.length));
      pass.run();
      return pass.logits.slice();
    };
    expect(run('1x1')).not.toEqual(run('3x3'));
  });

  it('runs ResNeXt groups and basic blocks', () => {
    for (const options of [{ groups: 4, widthPerGroup: 16 }, { block: 'basic' as const }]) {
      const pass = small(options).forward(1, 32, 32);
      pass.input.set(hashImage(3, pass.input.length));
      pass.run();
      expect(pass.logits.every(Number.isFinite)).toBe(true);
    }
  });

  it('ignores training’s step counters', () => {
    expect(() => load(changed('bn1.num_batches_tracked', []))).not.toThrow();
  });

  it('reads stride and preprocessing from the file’s metadata; options win', () => {
    const source = hashWeights(stateDictOf(SMALL), 3);
    const metadata = new Map([
      ['architecture', '{"strideOn":"1x1"}'],
      ['preprocessing', '{"size":96,"interpolation":"bicubic","cropRatio":0.95}'],
    ]);
    const net = load({ ...source, metadata });
    expect(net.architecture['strideOn']).toBe('1x1');
    expect(net.preprocessing).toMatchObject({
      size: 96,
      interpolation: 'bicubic',
      cropRatio: 0.95,
      mean: [0.485, 0.456, 0.406],
    });
    const told = networkOf({ ...source, metadata }, { kernels: jsKernels(), strideOn: '3x3' });
    expect(told.architecture['strideOn']).toBe('3x3');
  });

  it('reserves no memory if names claim a network that the tensors do not have', () => {
    const source = changed('layer2.0.conv1.weight', [0]);
    const tensors = new Map(source.tensors);
    for (let s = 3; s < 40; s++) tensors.set(`layer${s}.0.conv1.weight`, tensors.get('fc.bias')!);
    const kernels = jsKernels();
    const reserve = vi.spyOn(kernels, 'reserve');
    expect(() => networkOf({ ...source, tensors }, { kernels })).toThrow(
      'tensor layer2.0.conv1.weight expected 4 dimensions ≥ 1, got [0]',
    );
    expect(reserve).not.toHaveBeenCalled();
  });

  it('finds a class by its index and by its whole name in any case', () => {
    const labels = ['crane', 'tabby', 'Crane', 'tabby cat', '4'];
    const net = networkOf(changed('x'), { kernels: jsKernels(), labels });
    expect(net.classIndex(4)).toBe(4);
    expect(net.classIndex('TABBY')).toBe(1);
    expect(() => net.classIndex('crane')).toThrow(
      '2 classes are called crane; give an index: 0 or 2',
    );
    expect(() => net.classIndex('tab')).toThrow('did you mean tabby, tabby cat?');
    for (const index of [5, -1, 0.5, Number.NaN]) {
      expect(() => net.classIndex(index)).toThrow('expected a class index 0…4');
    }
  });

  it.each<[string, () => unknown, string]>([
    [
      'a missing tensor',
      () => load(changed('layer1.0.bn2.bias')),
      'hash weights 3: tensor layer1.0.bn2.bias is missing',
    ],
    [
      'a tensor of another network',
      () => load(changed('layer1.0.gate.weight', [5])),
      '1 unexpected tensors, the first is layer1.0.gate.weight',
    ],
    [
      'a wrong shape',
      () => load(changed('layer2.0.conv2.weight', [16, 16, 3, 1])),
      'tensor layer2.0.conv2.weight expected [16,16,3,3], got [16,16,3,1]',
    ],
    [
      'a NaN',
      () => load(changed('bn1.bias', [8], new Float32Array(8).fill(Number.NaN, 3))),
      'tensor bn1.bias has NaN at element 3',
    ],
    [
      'an infinity',
      () => load(changed('bn1.weight', [8], new Float32Array(8).fill(Infinity, 7))),
      'tensor bn1.weight has Infinity at element 7',
    ],
    [
      'a negative variance',
      () => load(changed('bn1.running_var', [8], new Float32Array(8).fill(-1))),
      'tensor bn1.running_var has -1 at element 0',
    ],
    [
      'metadata that is not JSON',
      () => load({ ...changed('x'), metadata: new Map([['architecture', '{']]) }),
      'metadata architecture is not a JSON object',
    ],
    [
      'an unknown stride',
      () => load({ ...changed('x'), metadata: new Map([['architecture', '{"strideOn":"5x5"}']]) }),
      'metadata architecture.strideOn expected 3x3 or 1x1, got "5x5"',
    ],
    [
      'an eps that is no number',
      () =>
        load({ ...changed('x'), metadata: new Map([['architecture', '{"batchNormEps":"0"}']]) }),
      'metadata architecture.batchNormEps expected a number > 0, got "0"',
    ],
    [
      'labels that are no list',
      () => load({ ...changed('x'), metadata: new Map([['labels', '{"0":"a"}']]) }),
      'hash weights 3: metadata labels is not a JSON array of class names',
    ],
    [
      'channels in an order of their own',
      () => load({ ...changed('x'), metadata: new Map([['preprocessing', '{"channels":"gbr"}']]) }),
      'metadata preprocessing is not valid',
    ],
    [
      'preprocessing out of range',
      () => load({ ...changed('x'), metadata: new Map([['preprocessing', '{"std":[0,1,1]}']]) }),
      'metadata preprocessing is not valid',
    ],
    [
      'a crop beyond the picture',
      () => load({ ...changed('x'), metadata: new Map([['preprocessing', '{"cropRatio":1.5}']]) }),
      'metadata preprocessing is not valid',
    ],
    [
      'labels of another network',
      () => networkOf(changed('x'), { kernels: jsKernels(), labels: ['a'] }),
      'labels: expected 5, one for each class of hash weights 3, got 1',
    ],
  ])('refuses %s', (_, action, message) => {
    expect(action).toThrow(message);
  });
});
