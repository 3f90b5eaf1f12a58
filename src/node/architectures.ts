/**
 * Published networks by name, as names and shapes of their weights: for networks with random weights,
 * and to compare a file with.
 *
 * Source: torchvision/models: resnet.py, vgg.py, alexnet.py, densenet.py.
 */

import { FormatError, ShapeError } from '../errors.js';
import type { TensorSource } from '../model/index.js';

/** A state dict: names and shapes in order. */
export type StateDict = (readonly [name: string, shape: readonly number[]])[];

export interface ResNetShape {
  /** `basic`: 3×3, 3×3. `bottleneck`: 1×1, 3×3, 1×1 with four times the channels. */
  readonly block: 'basic' | 'bottleneck';
  /** Blocks in each of the stages. */
  readonly depths: readonly number[];
  /** Channels of the stem; stage s has planes width·2^s. */
  readonly width: number;
  readonly groups: number;
  /** Channels of a group of the 3×3 at 64 planes. */
  readonly widthPerGroup: number;
  readonly classes: number;
}

const RESNET50: ResNetShape = {
  block: 'bottleneck',
  depths: [3, 4, 6, 3],
  width: 64,
  groups: 1,
  widthPerGroup: 64,
  classes: 1000,
};

const CLASSES = 1000;

/** Channels of the convolutions between the pools. */
const VGG: Readonly<Record<string, readonly (readonly number[])[]>> = {
  vgg11: [[64], [128], [256, 256], [512, 512], [512, 512]],
  vgg13: [
    [64, 64],
    [128, 128],
    [256, 256],
    [512, 512],
    [512, 512],
  ],
  vgg16: [
    [64, 64],
    [128, 128],
    [256, 256, 256],
    [512, 512, 512],
    [512, 512, 512],
  ],
  vgg19: [
    [64, 64],
    [128, 128],
    [256, 256, 256, 256],
    [512, 512, 512, 512],
    [512, 512, 512, 512],
  ],
};

/** The state dicts by the names of the architectures. */
export const ARCHITECTURES: Readonly<Record<string, () => StateDict>> = {
  resnet18: () => resnetStateDict({ ...RESNET50, block: 'basic', depths: [2, 2, 2, 2] }),
  resnet34: () => resnetStateDict({ ...RESNET50, block: 'basic' }),
  resnet50: () => resnetStateDict(RESNET50),
  resnet101: () => resnetStateDict({ ...RESNET50, depths: [3, 4, 23, 3] }),
  resnet152: () => resnetStateDict({ ...RESNET50, depths: [3, 8, 36, 3] }),
  wide_resnet50_2: () => resnetStateDict({ ...RESNET50, widthPerGroup: 128 }),
  wide_resnet101_2: () =>
    resnetStateDict({ ...RESNET50, depths: [3, 4, 23, 3], widthPerGroup: 128 }),
  resnext50_32x4d: () => resnetStateDict({ ...RESNET50, groups: 32, widthPerGroup: 4 }),
  resnext101_32x8d: () =>
    resnetStateDict({ ...RESNET50, depths: [3, 4, 23, 3], groups: 32, widthPerGroup: 8 }),
  ...Object.fromEntries(
    Object.entries(VGG).flatMap(([name, stages]) => [
      [name, () => vggStateDict(stages, false)],
      [`${name}_bn`, () => vggStateDict(stages, true)],
    ]),
  ),
  alexnet: alexnetStateDict,
  densenet121: () => densenetStateDict([6, 12, 24, 16], 64, 32),
  densenet161: () => densenetStateDict([6, 12, 36, 24], 96, 48),
  densenet169: () => densenetStateDict([6, 12, 32, 32], 64, 32),
  densenet201: () => densenetStateDict([6, 12, 48, 32], 64, 32),
};

export function isArchitecture(name: string): boolean {
  return Object.hasOwn(ARCHITECTURES, name);
}

/** @throws {ShapeError} for a name that is not in the table; lists the names */
export function namedArchitecture(name: string): StateDict {
  if (isArchitecture(name)) return ARCHITECTURES[name]!();
  throw new ShapeError(
    `architecture: ${name} is unknown, expected one of ${Object.keys(ARCHITECTURES).join(', ')}`,
  );
}

/** Floats of a state dict. */
export function parameterCount(dict: StateDict): number {
  return dict.reduce((sum, [, shape]) => sum + shape.reduce((product, n) => product * n, 1), 0);
}

/** With the given options; those left out are as in `RESNET50`. */
export function resnetStateDict(options: Partial<ResNetShape> = {}): StateDict {
  const { block, depths, width, groups, widthPerGroup, classes } = { ...RESNET50, ...options };
  const expansion = block === 'bottleneck' ? 4 : 1;
  const dict: StateDict = [...convolution('conv1', 3, width, 7), ...batchNorm('bn1', width)];
  let Cin = width;
  for (const [s, depth] of depths.entries()) {
    const planes = width * 2 ** s;
    const Cout = planes * expansion;
    const mid = Math.floor((planes * widthPerGroup) / 64) * groups;
    for (let i = 0; i < depth; i++) {
      const prefix = `layer${s + 1}.${i}`;
      const layers: readonly (readonly [number, number, number])[] =
        block === 'bottleneck'
          ? [
              [Cin, mid, 1],
              [mid / groups, mid, 3],
              [mid, Cout, 1],
            ]
          : [
              [Cin, planes, 3],
              [planes, planes, 3],
            ];
      for (const [n, [from, to, kernel]] of layers.entries()) {
        dict.push(...convolution(`${prefix}.conv${n + 1}`, from, to, kernel));
        dict.push(...batchNorm(`${prefix}.bn${n + 1}`, to));
      }
      if (i === 0 && (s > 0 || Cin !== Cout)) {
        dict.push(...convolution(`${prefix}.downsample.0`, Cin, Cout, 1));
        dict.push(...batchNorm(`${prefix}.downsample.1`, Cout));
      }
      Cin = Cout;
    }
  }
  return [...dict, ...linear('fc', Cin, classes)];
}

function vggStateDict(stages: readonly (readonly number[])[], withNorm: boolean): StateDict {
  const dict: StateDict = [];
  let index = 0;
  let Cin = 3;
  for (const widths of stages) {
    for (const Cout of widths) {
      const layer = `features.${index}`;
      dict.push(...convolution(layer, Cin, Cout, 3), [`${layer}.bias`, [Cout]]);
      if (withNorm) dict.push(...batchNorm(`features.${index + 1}`, Cout));
      index += withNorm ? 3 : 2;
      Cin = Cout;
    }
    // The pool.
    index++;
  }
  return [
    ...dict,
    ...linear('classifier.0', 49 * Cin, 4096),
    ...linear('classifier.3', 4096, 4096),
    ...linear('classifier.6', 4096, CLASSES),
  ];
}

function alexnetStateDict(): StateDict {
  const layers = [
    [0, 3, 64, 11],
    [3, 64, 192, 5],
    [6, 192, 384, 3],
    [8, 384, 256, 3],
    [10, 256, 256, 3],
  ] as const;
  return [
    ...layers.flatMap(([index, Cin, Cout, kernel]): StateDict => {
      const layer = `features.${index}`;
      return [...convolution(layer, Cin, Cout, kernel), [`${layer}.bias`, [Cout]]];
    }),
    ...linear('classifier.1', 36 * 256, 4096),
    ...linear('classifier.4', 4096, 4096),
    ...linear('classifier.6', 4096, CLASSES),
  ];
}

function densenetStateDict(blocks: readonly number[], stem: number, growth: number): StateDict {
  const dict: StateDict = [
    ...convolution('features.conv0', 3, stem, 7),
    ...batchNorm('features.norm0', stem),
  ];
  let C = stem;
  for (const [n, depth] of blocks.entries()) {
    for (let i = 1; i <= depth; i++) {
      const layer = `features.denseblock${n + 1}.denselayer${i}`;
      dict.push(...batchNorm(`${layer}.norm1`, C));
      dict.push(...convolution(`${layer}.conv1`, C, 4 * growth, 1));
      dict.push(...batchNorm(`${layer}.norm2`, 4 * growth));
      dict.push(...convolution(`${layer}.conv2`, 4 * growth, growth, 3));
      C += growth;
    }
    if (n === blocks.length - 1) break;
    const transition = `features.transition${n + 1}`;
    dict.push(...batchNorm(`${transition}.norm`, C));
    C >>= 1;
    dict.push(...convolution(`${transition}.conv`, 2 * C, C, 1));
  }
  return [...dict, ...batchNorm('features.norm5', C), ...linear('classifier', C, CLASSES)];
}

function convolution(name: string, Cin: number, Cout: number, kernel: number): StateDict {
  return [[`${name}.weight`, [Cout, Cin, kernel, kernel]]];
}

function batchNorm(name: string, C: number): StateDict {
  return ['weight', 'bias', 'running_mean', 'running_var'].map((part) => [`${name}.${part}`, [C]]);
}

function linear(name: string, Cin: number, Cout: number): StateDict {
  return [
    [`${name}.weight`, [Cout, Cin]],
    [`${name}.bias`, [Cout]],
  ];
}

/**
 * Compares weights with an architecture: every tensor but the classifier's outputs.
 *
 * @param source in torchvision's naming
 * @throws {FormatError} naming the tensor that is missing or has another shape
 */
export function checkArchitecture({ name, tensors }: TensorSource, architecture: string): void {
  const dict = namedArchitecture(architecture);
  const classifier = dict.at(-1)![0].replace(/bias$/, '');
  for (const [tensor, shape] of dict) {
    if (tensor.startsWith(classifier)) continue;
    const own = tensors.get(tensor)?.shape;
    if (`${own}` === `${shape}`) continue;
    throw new FormatError(
      `${name}: ${architecture} has ${tensor} [${shape}], the weights have ${own ? `[${own}]` : 'none'}`,
    );
  }
  const expected = new Set(dict.map(([tensor]) => tensor));
  const isStatistic = (tensor: string): boolean => /\.num_batches_tracked$|_scale$/.test(tensor);
  const other = [...tensors.keys()].find((tensor) => !expected.has(tensor) && !isStatistic(tensor));
  if (other !== undefined) {
    throw new FormatError(
      `${name}: ${architecture} has no tensor ${other}, but the weights have it`,
    );
  }
}
