/**
 * Other namings of ResNets' weights, and how to translate each to torchvision's.
 *
 *   torchvision, timm   conv1.weight                        layer1.0.conv2.weight
 *                       bn1.running_mean                    layer1.0.downsample.0.weight      fc.weight
 *   Hugging Face        resnet.embedder.embedder.convolution.weight
 *                       resnet.encoder.stages.0.layers.0.layer.1.convolution.weight   classifier.1.weight
 *   Keras               conv1_conv/kernel                   conv2_block1_2_conv/kernel
 *                       conv1_bn/moving_mean                conv2_block1_0_conv/kernel        predictions/kernel
 *
 * Keras writes `/` or `.` between layer and variable; sometimes it repeats the layer, sometimes it adds `:0`.
 * Its kernels are HWIO and its classifier is [Cin, Cout]; they are read as transposed tensors. A naming also
 * implies facts that the weights do not show (where blocks stride, eps, preprocessing). These are added to the
 * metadata, unless the file itself states them.
 *
 * Sources: torchvision/models/resnet.py; transformers/models/resnet/modeling_resnet.py;
 * keras/src/applications/resnet.py.
 */

import { CAFFE_PREPROCESSING } from '../../image/index.js';
import type { Implied, Naming } from '../formats/naming.js';

const TORCHVISION: Naming = {
  first: /(?<![^.])layer1\.0\.conv1\.(?:weight(?:_v|_orig)?|parametrizations\.weight\.original1?)$/,
};

/** The children of a network in a Sequential, which is how people cut off the classifier; and fast.ai's bodies. */
const NUMBERED: Naming = {
  first: /(?<![^.])(\d+)\.0\.conv1\.weight$/,
  torchvisionName(key, isOutside, first) {
    const [, number, rest] = /^(\d+)(\..*)$/.exec(key) ?? [];
    if (isOutside || number === undefined) return key;
    const stage = Number(number) - Number(first[1]) + 1;
    // A stage has numbered blocks; a classifier in the same Sequential has none.
    if (stage >= 1) return /^\.\d+\./.test(rest!) ? `layer${stage}${rest}` : key;
    const early = ['conv1', 'bn1', 'relu', 'maxpool'][Number(number)];
    return early === undefined ? key : `${early}${rest}`;
  },
  // If the stages begin before number 4, there is no place for a pool after convolution, norm and activation.
  implied: (_, [, stage]) => (Number(stage) < 4 ? { architecture: { maxPool: false } } : {}),
};

const HUGGING_FACE: Naming = {
  first: /(?<![^.])(?:resnet\.)?embedder\.embedder\.convolution\.weight$/,
  torchvisionName(key) {
    const kinds: Record<string, string> = { convolution: 'conv', normalization: 'bn' };
    return key
      .replace(/^resnet\./, '')
      .replace(
        /^embedder\.embedder\.(convolution|normalization)\./,
        (_, kind) => `${kinds[kind]}1.`,
      )
      .replace(
        /^encoder\.stages\.(\d+)\.layers\.(\d+)\.(?:layer\.(\d+)|shortcut)\.(convolution|normalization)\./,
        (_, stage, block, i, kind) =>
          `${blockPart(Number(stage) + 1, Number(block), i ? Number(i) + 1 : 0, kinds[kind]!)}.`,
      )
      .replace(/^embedder\.pooler\./, 'maxpool.')
      .replace(/^classifier\.1\./, 'fc.');
  },
};

const KERAS_VARIABLES: Readonly<Record<string, string>> = {
  kernel: 'weight',
  bias: 'bias',
  gamma: 'weight',
  beta: 'bias',
  moving_mean: 'running_mean',
  moving_variance: 'running_var',
};

/** What Keras' applications imply. */
const KERAS_IMPLIED: Implied = {
  architecture: {
    strideOn: '1x1',
    batchNormEps: 1.001e-5,
    activationFunction: 'relu',
    dilations: [],
  },
  preprocessing: CAFFE_PREPROCESSING,
};

const KERAS: Naming = {
  first: /(?<![^./])conv1_conv[/.](?:conv1_conv[/.])?kernel(?::0)?$/,
  torchvisionName: (key, isOutside) => kerasName(key, isOutside, kerasLayer),
  axes: { 4: [3, 2, 0, 1], 2: [1, 0] },
  implied: KERAS_IMPLIED,
};

/** Keras before 2.3, with Caffe's names: res2a_branch2a, bn2a_branch2a; branch 1 is the shortcut. */
const KERAS_OLD: Naming = {
  first: /(?<![^./])res2a_branch2a[/.](?:res2a_branch2a[/.])?kernel(?::0)?$/,
  torchvisionName: (key, isOutside) => kerasName(key, isOutside, oldKerasLayer),
  axes: { 4: [3, 2, 0, 1], 2: [1, 0] },
  implied: {
    ...KERAS_IMPLIED,
    architecture: { ...KERAS_IMPLIED['architecture'], batchNormEps: 1e-3 },
  },
};

/** Translates layer/variable; the layer may be repeated. Layers that torchvision does not have keep their names. */
function kerasName(
  key: string,
  isOutside: boolean,
  layerOf: (layer: string) => string | undefined,
): string {
  const [, path, variable] = /^(.+)[/.](\w+)(?::0)?$/.exec(key) ?? [];
  const part = Object.hasOwn(KERAS_VARIABLES, variable ?? '') && KERAS_VARIABLES[variable!];
  if (path === undefined || !part) return key;
  const layer = once(path);
  const own = isOutside ? undefined : layerOf(layer);
  return `${own ?? layer.replaceAll('/', '.')}.${part}`;
}

/** A repeated path, without the repetition. */
function once(path: string): string {
  const half = (path.length - 1) / 2;
  const isTwice = /[/.]/.test(path.charAt(half)) && path.slice(0, half) === path.slice(half + 1);
  return isTwice ? path.slice(0, half) : path;
}

/** conv1_bn → bn1; conv2_block1_3_conv → layer1.0.conv3, where 0 in place of 3 is the shortcut. */
function kerasLayer(layer: string): string | undefined {
  if (layer === 'predictions') return 'fc';
  const [, stem, part] = /^(conv1)_(conv|bn)$/.exec(layer) ?? [];
  if (stem !== undefined) return `${part}1`;
  const [, stage, block, i, kind] = /^conv(\d+)_block(\d+)_(\d)_(conv|bn)$/.exec(layer) ?? [];
  if (stage === undefined) return undefined;
  return blockPart(Number(stage) - 1, Number(block) - 1, Number(i), kind!);
}

/** bn_conv1 → bn1; res2a_branch2c → layer1.0.conv3; res3b1_branch2a → layer2.1.conv1. */
function oldKerasLayer(layer: string): string | undefined {
  if (layer === 'fc1000') return 'fc';
  if (layer === 'conv1') return 'conv1';
  if (layer === 'bn_conv1') return 'bn1';
  const pattern = /^(res|bn)(\d+)([a-z])(\d*)_branch(\d)([a-c]?)$/;
  const [, kind, stage, letter, number, branch, part] = pattern.exec(layer) ?? [];
  if (kind === undefined) return undefined;
  const block = number === '' ? letter!.charCodeAt(0) - 'a'.charCodeAt(0) : Number(number);
  const i = branch === '1' ? 0 : 'abc'.indexOf(part!) + 1;
  return blockPart(Number(stage) - 1, block, i, kind === 'res' ? 'conv' : 'bn');
}

/** @param i 0 for the shortcut */
function blockPart(stage: number, block: number, i: number, kind: string): string {
  const prefix = `layer${stage}.${block}`;
  return i === 0 ? `${prefix}.downsample.${kind === 'conv' ? 0 : 1}` : `${prefix}.${kind}${i}`;
}

/** ResNet V2, recognized by a key that only it has; without this it would be taken for a ResNet. */
const KERAS_V2: Naming = {
  first: /(?<![^./])(?:conv\d+_block\d+_preact_bn|post_bn)[/.]\w+(?::0)?$/,
  refused: 'a ResNet V2, with batch norm before convolution',
};

/** kuangliu/pytorch-cifar needs no naming: the family reads its `shortcut`, and a classifier of any name. */
export const RESNET_NAMINGS: readonly Naming[] = [
  KERAS_V2,
  TORCHVISION,
  HUGGING_FACE,
  KERAS,
  KERAS_OLD,
  NUMBERED,
];
