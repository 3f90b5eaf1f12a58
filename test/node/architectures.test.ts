import { describe, expect, it } from 'vitest';
import { recognizeNetwork, type TensorSource } from '../../src/model/index.js';
import {
  ARCHITECTURES,
  checkArchitecture,
  namedArchitecture,
  parameterCount,
  resnetStateDict,
} from '../../src/node/architectures.js';
import { noiseWeights } from '../../src/node/noise-model.js';
import { torchvisionStateDict } from '../hash-weights.js';

describe('architectures', () => {
  it.each([
    'resnet18',
    'resnet34',
    'resnet50',
    'resnet101',
    'resnet152',
    'wide_resnet50_2',
    'resnext50_32x4d',
  ])('%s has exactly the tensors of torchvision, names and shapes', (name) => {
    const ours = new Map(namedArchitecture(name));
    const theirs = new Map(torchvisionStateDict(name));
    expect(ours.size).toBe(theirs.size);
    for (const [tensor, shape] of theirs)
      expect([tensor, ours.get(tensor)]).toEqual([tensor, shape]);
  });

  // torchvision's documentation, "num_params" of its weights, and of batch norms mean and variance.
  it.each([
    ['vgg11', 132_863_336, 0],
    ['vgg16', 138_357_544, 0],
    ['vgg19_bn', 143_678_248, 2 * 5504],
    ['alexnet', 61_100_840, 0],
    ['densenet121', 7_978_856, 83_648],
    ['densenet161', 28_681_000, 219_936],
    ['densenet201', 20_013_928, 229_056],
  ])('%s has %i parameters, and %i statistics beside them', (name, parameters, statistics) => {
    expect(parameterCount(namedArchitecture(name))).toBe(parameters + statistics);
  });

  it.each(Object.keys(ARCHITECTURES))('%s is recognized by its state dict', (name) => {
    const { architecture, graph } = recognizeNetwork(noiseWeights(namedArchitecture(name)));
    const family = /^(?:wide_)?(resne|vgg|alexnet|densenet)/.exec(name)![1]!;
    expect(architecture.family).toContain(family);
    expect(graph.classes).toBe(1000);
  });

  it('lists the names it knows when asked for another', () => {
    expect(() => namedArchitecture('vgg12')).toThrow(
      /vgg12 is unknown, expected one of resnet18, .*vgg16/,
    );
    expect(() => namedArchitecture('constructor')).toThrow('constructor is unknown');
  });
});

describe('checkArchitecture', () => {
  const weights = (classes = 1000): TensorSource => noiseWeights(resnetStateDict({ classes }));

  it('takes any number of classes', () => {
    expect(() => checkArchitecture(weights(7), 'resnet50')).not.toThrow();
  });

  it.each([
    [
      'resnet101',
      'noise: resnet101 has layer3.6.conv1.weight [256,1024,1,1], the weights have none',
    ],
    ['resnext50_32x4d', 'has layer1.0.conv1.weight [128,64,1,1], the weights have [64,64,1,1]'],
    ['vgg16', 'noise: vgg16 has features.0.weight [64,3,3,3], the weights have none'],
    ['resnet34', 'resnet34 has layer1.0.conv1.weight [64,64,3,3], the weights have [64,64,1,1]'],
  ])('refuses a ResNet-50 for a %s', (architecture, message) => {
    expect(() => checkArchitecture(weights(), architecture)).toThrow(message);
  });

  it('refuses more than the architecture has', () => {
    const shallow = noiseWeights(resnetStateDict({ depths: [3, 4, 7, 3] }));
    expect(() => checkArchitecture(shallow, 'resnet50')).toThrow(
      'resnet50 has no tensor layer3.6.conv1.weight, but the weights have it',
    );
  });
});
