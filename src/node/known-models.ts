/**
 * Trained ResNets that can be downloaded by name: the URL, the preprocessing, the licence.
 *
 * Names, hashes and preprocessing are those of the publishers: torchvision's and timm's tables of
 * weights, the model cards and listings of the Hugging Face hub. Each row also says how the file is
 * verified: torchvision's names contain the first eight hex digits of the SHA-256, and the hub sends all
 * of it with its first answer (`fetch-model.ts`). The tests download from a local server: they do not show
 * that the URLs lead to the files on the real hosts.
 */

import { IMAGENET_PREPROCESSING, type Preprocessing } from '../model/index.js';

export interface KnownModel {
  /** The publisher's name of it. */
  readonly name: string;
  /** The short name of an architecture's default. */
  readonly alias?: string;
  /** A key of ARCHITECTURES. All have ImageNet's 1000 classes, and the stride on the 3×3. */
  readonly architecture: string;
  readonly url: string;
  /** Its name in the cache. */
  readonly file: string;
  /** The first hex digits of the file's SHA-256, if its publisher gives them. */
  readonly sha256Prefix?: string;
  readonly preprocessing: Preprocessing;
  /** An SPDX identifier. */
  readonly licence: 'Apache-2.0' | 'BSD-3-Clause';
}

/** torchvision's first version: short side 256 pixels, of which 224 are used. */
const V1 = IMAGENET_PREPROCESSING;
/** torchvision's second version: 224 of 232. */
const V2: Preprocessing = { ...V1, cropRatio: 224 / 232 };
/** microsoft/resnet-50. */
const BICUBIC: Preprocessing = { ...V1, interpolation: 'bicubic' };
/** timm's recipe A1: 224 of 235, 0.95 rounded down. */
const A1: Preprocessing = { ...BICUBIC, cropRatio: 224 / 235 };

/**
 * The first row of an architecture is its default: torchvision's first version, which the paper uses, as
 * safetensors.
 */
export const KNOWN_MODELS: readonly KnownModel[] = [
  ...['resnet18', 'resnet34', 'resnet50', 'resnet101', 'resnet152'].map((architecture) => ({
    ...hub(`timm/${architecture}.tv_in1k`, architecture, 'BSD-3-Clause', V1),
    alias: architecture,
  })),
  hub('timm/resnet18.a1_in1k', 'resnet18', 'Apache-2.0', A1),
  hub('timm/resnet50.a1_in1k', 'resnet50', 'Apache-2.0', A1),
  hub('microsoft/resnet-50', 'resnet50', 'Apache-2.0', BICUBIC),
  torchvision('resnet18', 'v1', 'f37072fd'),
  torchvision('resnet34', 'v1', 'b627a593'),
  torchvision('resnet50', 'v1', '0676ba61'),
  torchvision('resnet50', 'v2', '11ad3fa6'),
  torchvision('resnet101', 'v1', '63fe2227'),
  torchvision('resnet101', 'v2', 'cd907fc2'),
  torchvision('resnet152', 'v1', '394f9c45'),
  torchvision('resnet152', 'v2', 'f82ba261'),
];

/** The row of a name, a short name or a URL. */
export function knownModel(text: string): KnownModel | undefined {
  return KNOWN_MODELS.find(({ name, alias, url }) => [name, alias, url].includes(text));
}

/** The file names of torchvision's ImageNet weights, without those of its detectors. */
const TORCHVISION_FILE =
  /(?:^|[\\/])(?:resnet(?:18|34|50|101|152)|resnext(?:50_32x4d|101_32x8d|101_64x4d)|wide_resnet(?:50|101)_2|vgg(?:11|13|16|19)(?:_bn)?|alexnet-owt|densenet(?:121|161|169|201))-[\da-f]{8}\.pth$/u;

/** Whether a model was trained on ImageNet, by its name or path. */
export function isImagenetModel(model: string): boolean {
  return knownModel(model) !== undefined || TORCHVISION_FILE.test(model);
}

/** A repository on the Hugging Face hub. */
function hub(
  name: string,
  architecture: string,
  licence: KnownModel['licence'],
  preprocessing: Preprocessing,
): KnownModel {
  return {
    name,
    architecture,
    url: `https://huggingface.co/${name}/resolve/main/model.safetensors`,
    file: `${name.replace('/', '-')}.safetensors`,
    preprocessing,
    licence,
  };
}

/** `v1` and `v2` are torchvision's IMAGENET1K_V1 and IMAGENET1K_V2. */
function torchvision(architecture: string, edition: 'v1' | 'v2', sha256Prefix: string): KnownModel {
  const file = `${architecture}-${sha256Prefix}.pth`;
  return {
    name: `torchvision/${architecture}-${edition}`,
    architecture,
    url: `https://download.pytorch.org/models/${file}`,
    file,
    sha256Prefix,
    preprocessing: edition === 'v1' ? V1 : V2,
    licence: 'BSD-3-Clause',
  };
}
