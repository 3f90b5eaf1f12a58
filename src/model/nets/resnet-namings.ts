/**
 * The namings that ResNets' weights come in beside torchvision's own, each presented as torchvision's.
 *
 *   torchvision, timm   conv1.weight                        layer1.0.conv2.weight
 *                       bn1.running_mean                    layer1.0.downsample.0.weight      fc.weight
 *   Hugging Face        resnet.embedder.embedder.convolution.weight
 *                       resnet.encoder.stages.0.layers.0.layer.1.convolution.weight   classifier.1.weight
 *   Keras               conv1_conv/kernel                   conv2_block1_2_conv/kernel
 *                       conv1_bn/moving_mean                conv2_block1_0_conv/kernel        predictions/kernel
 *
 * Keras writes `/` or `.` between layer and variable, sometimes the layer twice, sometimes `:0` behind.
 * Its kernels are HWIO and its classifier [Cin, Cout]; they are read as the transposed tensors that they
 * are. What a naming implies and the weights do not show (where blocks stride, eps, preprocessing) is
 * added to the metadata, where the file itself does not say otherwise.
 *
 * Sources: torchvision/models/resnet.py; transformers/models/resnet/modeling_resnet.py;
 * keras/src/applications/resnet.py.
 */

import { CAFFE_PREPROCESSING } from '../../image/index.js';
import type { Naming } from '../formats/naming.js';

const HUGGING_FACE: Naming = {
  recognises: /^(?:resnet\.)?embedder\.embedder\.convolution\.weight$/,
  torchvisionName(key) {
    const parts: Record<string, string> = { convolution: 'conv', normalization: 'bn' };
    const shortcutParts: Record<string, string> = { convolution: '0', normalization: '1' };
    return key
      .replace(/^resnet\./, '')
      .replace(
        /^embedder\.embedder\.(convolution|normalization)\./,
        (_, part) => `${parts[part]}1.`,
      )
      .replace(
        /^encoder\.stages\.(\d+)\.layers\.(\d+)\.layer\.(\d+)\.(convolution|normalization)\./,
        (_, s, block, i, part) => `layer${Number(s) + 1}.${block}.${parts[part]}${Number(i) + 1}.`,
      )
      .replace(
        /^encoder\.stages\.(\d+)\.layers\.(\d+)\.shortcut\.(convolution|normalization)\./,
        (_, s, block, part) => `layer${Number(s) + 1}.${block}.downsample.${shortcutParts[part]}.`,
      )
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

const KERAS: Naming = {
  recognises: /^conv1_conv[/.]/,
  torchvisionName(key) {
    const [, layer, variable] = /^(\w+)[/.](?:\1[/.])?(\w+)(?::0)?$/.exec(key) ?? [];
    const part = Object.hasOwn(KERAS_VARIABLES, variable ?? '') && KERAS_VARIABLES[variable!];
    const name = kerasLayer(layer ?? '');
    return part && name !== undefined ? `${name}.${part}` : key;
  },
  axes: { 4: [3, 2, 0, 1], 2: [1, 0] },
  implied: {
    architecture: { strideOn: '1x1', batchNormEps: 1.001e-5 },
    preprocessing: CAFFE_PREPROCESSING,
  },
};

/** conv1_bn → bn1; conv2_block1_3_conv → layer1.0.conv3, where 0 in place of 3 is the shortcut. */
function kerasLayer(layer: string): string | undefined {
  if (layer === 'predictions') return 'fc';
  const [, stem, part] = /^(conv1)_(conv|bn)$/.exec(layer) ?? [];
  if (stem !== undefined) return `${part}1`;
  const [, stage, block, i, kind] = /^conv(\d+)_block(\d+)_(\d)_(conv|bn)$/.exec(layer) ?? [];
  if (stage === undefined) return undefined;
  const prefix = `layer${Number(stage) - 1}.${Number(block) - 1}`;
  return i === '0' ? `${prefix}.downsample.${kind === 'conv' ? 0 : 1}` : `${prefix}.${kind}${i}`;
}

/** ResNet V2, which would be taken for a ResNet, by a key that only it has. */
const KERAS_V2: Naming = {
  recognises: /^(?:conv\d+_block\d+_preact_bn|post_bn)[/.]/,
  refused: 'a ResNet V2, with batch norm before convolution',
};

/** kuangliu/pytorch-cifar needs none: the family reads its `shortcut`, the builder any name of a classifier. */
export const RESNET_NAMINGS: readonly Naming[] = [KERAS_V2, HUGGING_FACE, KERAS];
