import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ExplainingNetwork, networkOf } from '../../../src/explain.js';
import { jsKernels } from '../../../src/kernels/index.js';
import { inTorchvisionNames } from '../../../src/model/formats/naming.js';
import type { NetOptions } from '../../../src/model/index.js';
import {
  CAFFE_PREPROCESSING,
  parseSafetensors,
  type TensorSource,
} from '../../../src/model/index.js';
import { RESNET_NAMINGS } from '../../../src/model/nets/resnet-namings.js';
import type { ResNetShape } from '../../../src/node/architectures.js';
import { writeSafetensors } from '../../../src/node/safetensors-writer.js';
import { distance } from '../../compare.js';
import { hashImage, hashWeights, stateDictOf, torchvisionStateDict } from '../../hash-weights.js';
import {
  huggingFaceName,
  kerasName,
  renameTensors,
  type Tensors,
  tensorsOf,
  toKeras,
} from '../../weight-namings.js';
import { kerasLogits } from './keras-reference.js';

const SMALL: Partial<ResNetShape> = { depths: [1, 2], width: 8, classes: 5 };
const BASIC: Partial<ResNetShape> = { ...SMALL, block: 'basic' };
const SIZE = 37;

const torchvision = (architecture = SMALL): Tensors =>
  tensorsOf(hashWeights(stateDictOf(architecture), 3));

/** With a bias for every convolution, as in Keras. */
function withBiases(tensors: Tensors): Tensors {
  const biases = Object.entries(tensors)
    .filter(([, { shape }]) => shape.length === 4)
    .map(([name, { shape }], t) => {
      const data = Float32Array.from({ length: shape[0]! }, (_, i) => Math.sin(7 * t + i) / 2);
      return [name.replace(/weight$/, 'bias'), { shape: [shape[0]!], data }];
    });
  return { ...tensors, ...Object.fromEntries(biases) };
}

const source = (tensors: Tensors, metadata = {}): TensorSource =>
  parseSafetensors(writeSafetensors(tensors, metadata), 'file');

function load(tensors: Tensors, options: Partial<NetOptions> = {}): ExplainingNetwork {
  return networkOf(source(tensors), { kernels: jsKernels(), ...options });
}

/** By the first naming that the weights have. */
function torchvisionNames(weights: TensorSource): TensorSource {
  for (const naming of RESNET_NAMINGS) {
    const named = inTorchvisionNames(weights, naming);
    if (named) return named.source;
  }
  return expect.fail('no naming');
}

function logitsOf(net: ExplainingNetwork): Float32Array {
  const pass = net.forward(1, SIZE, SIZE);
  pass.input.set(hashImage(3, pass.input.length));
  pass.run();
  return pass.logits.slice();
}

describe('a ResNet in another naming', () => {
  it.each([
    ['bottleneck', SMALL],
    ['basic', BASIC],
  ])('of Hugging Face gives the bits of torchvision’s: %s blocks', (_, architecture) => {
    const tensors = torchvision(architecture);
    const net = load(renameTensors(tensors, huggingFaceName));
    expect(net.architecture).toMatchObject(architecture);
    expect(logitsOf(net)).toEqual(logitsOf(load(tensors)));
  });

  it('of a model trained with DataParallel gives the same bits as torchvision’s', () => {
    const net = load(renameTensors(torchvision(), (name) => `module.${name}`));
    expect(logitsOf(net)).toEqual(logitsOf(load(torchvision())));
  });

  it.each<[string, (layer: string, variable: string) => string]>([
    ['conv1_conv/kernel', (layer, variable) => `${layer}/${variable}`],
    ['conv1_conv.kernel', (layer, variable) => `${layer}.${variable}`],
    ['conv1_conv/conv1_conv/kernel:0', (layer, variable) => `${layer}/${layer}/${variable}:0`],
  ])(
    'of Keras (%s) gives the bits of its transposed twin, stride, eps and biases told',
    (_, join) => {
      const tensors = withBiases(torchvision());
      const metadata = {
        architecture: JSON.stringify({ strideOn: '1x1', batchNormEps: 1.001e-5 }),
      };
      const twin = networkOf(source(tensors, metadata), { kernels: jsKernels() });
      expect(logitsOf(load(toKeras(tensors, join)))).toEqual(logitsOf(twin));
    },
  );

  it('of Keras gives what Keras computes, within 1e-6', () => {
    const weights = toKeras(withBiases(torchvision()));
    const net = load(weights);
    expect(net.architecture['strideOn']).toBe('1x1');
    expect(net.preprocessing).toEqual(CAFFE_PREPROCESSING);
    const data = hashImage(3, SIZE * SIZE * 3);
    const expected = kerasLogits(weights, SMALL.depths!, { H: SIZE, W: SIZE, data });
    expect(distance(logitsOf(net), expected).largest).toBeLessThanOrEqual(1e-6);
    // The trap: the stride guessed wrong loads without a word, and means something else.
    const wrong = logitsOf(load(weights, { strideOn: '3x3' }));
    expect(distance(wrong, expected).largest).toBeGreaterThan(1e-2);
  });

  it('translates all keys of a whole ResNet-50 to torchvision’s', () => {
    const names = torchvisionStateDict('resnet50').map(([name]) => name);
    const namings = [huggingFaceName, (name: string) => kerasName(name).join('/')];
    for (const rename of namings) {
      const tensors = new Map(names.map((name) => [rename(name), { dtype: 'F32', shape: [1] }]));
      const foreign = { name: 'file', metadata: new Map(), tensors, readInto: () => {} };
      expect([...torchvisionNames(foreign).tensors.keys()]).toEqual(names);
    }
  });

  it('reads any part of a transposed tensor', () => {
    const tensors = torchvision();
    const keras = torchvisionNames(source(toKeras(tensors)));
    for (const name of ['layer1.0.conv2.weight', 'fc.weight']) {
      const { data } = tensors[name]!;
      const window = fc
        .tuple(fc.nat(data.length), fc.nat(data.length))
        .map((w) => w.sort((a, b) => a - b));
      fc.assert(
        fc.property(window, ([begin, end]) => {
          const out = new Float32Array(end! - begin!);
          keras.readInto(out, name, begin!);
          expect(out).toEqual(data.subarray(begin, end));
        }),
      );
      const beyond = () => keras.readInto(new Float32Array(2), name, data.length - 1);
      expect(beyond).toThrow(/^file: tensor \S+ \[.*\] has no elements/);
    }
  });

  it('keeps the metadata of the file', () => {
    const metadata = {
      architecture: '{"strideOn":"3x3"}',
      preprocessing: '{"size":96}',
      labels: '["a","b","c","d","e"]',
    };
    const net = networkOf(source(toKeras(torchvision()), metadata), { kernels: jsKernels() });
    expect(net.architecture['strideOn']).toBe('3x3');
    expect(net.preprocessing).toEqual({ ...CAFFE_PREPROCESSING, size: 96 });
    expect(net.labels).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it.each<[string, () => Tensors, string | RegExp]>([
    [
      'a deep stem that is none',
      () => renameTensors(torchvision(), (name) => name.replace(/^conv1\./, 'conv1.0.')),
      'file: tensor conv1.0.weight expected [8,3,3,3], got [8,3,7,7]',
    ],
    [
      'a ResNet V2 of Keras',
      () => ({ ...toKeras(torchvision()), 'post_bn/gamma': torchvision()['bn1.weight']! }),
      'file: tensor post_bn/gamma is that of a ResNet V2',
    ],
    [
      'two tensors of one name',
      () => {
        const tensors = toKeras(torchvision());
        return { ...tensors, 'conv1_bn.gamma': tensors['conv1_bn/gamma']! };
      },
      'tensors conv1_bn/gamma and conv1_bn.gamma are both bn1.weight',
    ],
    [
      'a bias of another length',
      () => ({ ...torchvision(), 'layer1.0.conv1.bias': torchvision()['fc.bias']! }),
      'file: tensor layer1.0.conv1.bias expected [8], got [5]',
    ],
    [
      'no naming that is known',
      () => ({ 'stem.weight': torchvision()['conv1.weight']! }),
      /^file: weights of no network that is known .* the first tensor is stem.weight$/,
    ],
  ])('refuses %s', (_, tensors, message) => {
    expect(() => load(tensors())).toThrow(message);
  });
});
