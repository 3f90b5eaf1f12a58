/**
 * What the name of an architecture says that the weights do not show, for names of timm and torchvision:
 * `resnet50`, `timm/resnetblur50.bt_in1k`, `deeplabv3_resnet50`.
 *
 * Sources: timm/models/{resnet,vgg,densenet}.py; torchvision/models.
 */

import { FormatError } from '../errors.js';
import type { NetOptions } from '../model/index.js';

/** Networks that cannot be computed, and whose weights do not show it, or not by name. */
const REFUSED: readonly (readonly [name: RegExp, what: string])[] = [
  [
    /^(?:[a-z]+_)?[a-z]*(?:resne[sx]?t|densenet|vgg)(?:(?:aa|blur)\d+[a-z]?(?:_\d+x\d+d)?|\d*_?(?:blur|antialias(?:ed)?|lpf\d))$/,
    'blur pools',
  ],
  [/^(?:resnetv2|preact|preresnet|nf_|dm_nf)/, 'batch norm before convolution, or none'],
  [/_gn$|groupnorm/, 'GroupNorm'],
  [/^(?:ecaresne|eca_resne)/, 'efficient channel attention'],
  [/^sk(?:resne|nas)/, 'selective kernels'],
  [/^resnest/, 'split attention'],
  [/^res2ne/, 'convolutions in a row inside a block'],
  [/^(?:gcresne|bat_resne|lambda_resne|halonet|botnet|cbam|lamhalo|sehalonet)/, 'attention blocks'],
  [/_clip(?:_gap)?$/, 'an attention pool'],
  [/^resnetrs/, 'a stem without a pool'],
];

/** Names of networks of other families. */
const OTHERS: readonly (readonly [name: RegExp, what: string])[] = [
  [
    /^(?:vit|deit|beit|swin|convnext|efficientnet|tf_efficientnet|mobilenet|mobilevit|regnet|inception|googlenet|xception|mixer|dla|hrnet|nasnet|pnasnet|mnasnet|shufflenet|squeezenet|coat|cait|xcit|volo|maxvit|edgenext|ghostnet|darknet|cspresne|cspdark|repvgg|dpn)/,
    'another network',
  ],
];

/** Names of networks whose weights show everything, or nearly. */
const KNOWN =
  /^(?:tv_|gluon_|ig_|ssl_|swsl_|wsl_|wide_|se|legacy_se)?(?:resnet(?:10|14|18|26|34|50|51|101|152|200|269)[cdst]?|resnext(?:26|50|101)[a-z]*|vgg1[1369]|densenet(?:121|161|169|201|264)|alexnet)(?:_|$)/;

/** Segmentation networks of torchvision: the last two stages keep the number of pixels of the second. */
const DILATED = /^(?:fcn|deeplabv3)_resnet/;

/**
 * @param name in any case, with or without the publisher before a slash and the recipe after a dot
 * @param isSaidInFile by a training script, which may use any name
 * @returns what the name says; undefined if it is not known
 * @throws {FormatError} without the file's name, if the network cannot be computed
 */
export function architectureSays(
  name: string,
  isSaidInFile = false,
): Partial<NetOptions> | undefined {
  const bare = name.toLowerCase().replace(/^.*\//, '').replace(/\..*$/, '').replaceAll('-', '');
  // Scripts name their runs as they like, and here the tensors show another network.
  const patterns = isSaidInFile ? REFUSED : [...REFUSED, ...OTHERS];
  const refused = patterns.find(([pattern]) => pattern.test(bare));
  if (refused) {
    throw new FormatError(
      `the architecture is called ${name}, which has ${refused[1]}: not supported`,
    );
  }
  if (DILATED.test(bare)) return { ...PLAIN, dilations: [1, 1, 2, 4] };
  return KNOWN.test(bare) ? PLAIN : undefined;
}

/** The options of published networks with a plain name. */
const PLAIN: Partial<NetOptions> = {
  strideOn: '3x3',
  batchNormEps: 1e-5,
  activationFunction: 'relu',
  strides: [],
  dilations: [],
};

/** Whether a name says that the weights were trained on ImageNet's 1000 classes: `….tv_in1k`. */
export function isImagenetName(name: string | undefined): boolean {
  return name !== undefined && /\.\w*in1k/.test(name.toLowerCase());
}
