/**
 * ResNets as data: rows of a table, and the convolutions that a row stands for, under the weights'
 * own names.
 *
 * Source: He, Zhang, Ren, Sun, "Deep Residual Learning" (arXiv 1512.03385); wide: arXiv 1605.07146;
 * ResNeXt: arXiv 1611.05431; names and widths as in torchvision.
 */

import { FormatError, ShapeError } from '../errors.js';

export interface Architecture {
  /** `basic`: 3×3, 3×3. `bottleneck`: 1×1, 3×3, 1×1 with four times the channels. */
  readonly block: 'basic' | 'bottleneck';
  /** Blocks in each of the stages. */
  readonly depths: readonly number[];
  /** Channels of the stem; stage s has planes width·2^s. */
  readonly width: number;
  /** Channels of a group of the 3×3 at 64 planes: 64, 128 for wide networks, 4 or 8 for ResNeXt. */
  readonly widthPerGroup: number;
  readonly groups: number;
  /** 7×7 stride 2, then a 3×3 stride-2 max pool. */
  readonly stem: '7x7';
  /** Where a bottleneck strides: `3x3` is "v1.5" (torchvision, timm), `1x1` the paper's v1 (Keras). */
  readonly strideOn: '3x3' | '1x1';
  readonly classes: number;
}

/** One convolution with its batch norm, under the names of a state dict. */
export interface ConvolutionSpec {
  readonly name: string;
  readonly batchNorm: string;
  readonly Cin: number;
  readonly Cout: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly groups: number;
}

/** A residual block: its branch, and the projection of its shortcut where the shape changes. */
export interface BlockSpec {
  readonly branch: readonly ConvolutionSpec[];
  readonly downsample?: ConvolutionSpec;
}

export interface Layers {
  readonly stem: ConvolutionSpec;
  readonly stages: readonly (readonly BlockSpec[])[];
  readonly fc: { readonly name: string; readonly Cin: number; readonly Cout: number };
}

/** The product of all strides: every stage of an input with sides a multiple of it is exact. */
export const NETWORK_STRIDE = 32;

const BASE: Architecture = {
  block: 'bottleneck',
  depths: [3, 4, 6, 3],
  width: 64,
  widthPerGroup: 64,
  groups: 1,
  stem: '7x7',
  strideOn: '3x3',
  classes: 1000,
};

/** The most blocks that weights are taken for a ResNet's with; a ResNet-152 has 50. */
const MAX_BLOCKS = 1024;

/** Named architectures. */
export const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  resnet18: { ...BASE, block: 'basic', depths: [2, 2, 2, 2] },
  resnet34: { ...BASE, block: 'basic' },
  resnet50: BASE,
  resnet101: { ...BASE, depths: [3, 4, 23, 3] },
  resnet152: { ...BASE, depths: [3, 8, 36, 3] },
  wide_resnet50_2: { ...BASE, widthPerGroup: 128 },
  wide_resnet101_2: { ...BASE, depths: [3, 4, 23, 3], widthPerGroup: 128 },
  resnext50_32x4d: { ...BASE, groups: 32, widthPerGroup: 4 },
  resnext101_32x8d: { ...BASE, depths: [3, 4, 23, 3], groups: 32, widthPerGroup: 8 },
};

/** @throws {ShapeError} for a name that is not in the table, listing those that are */
export function namedArchitecture(name: string): Architecture {
  if (!Object.hasOwn(ARCHITECTURES, name)) {
    throw new ShapeError(
      `architecture: ${name} is unknown, expected one of ${Object.keys(ARCHITECTURES).join(', ')}`,
    );
  }
  return ARCHITECTURES[name]!;
}

/** The convolutions of a network, stem to classifier. */
export function layersOf(architecture: Architecture): Layers {
  const { block, depths, width, classes } = architecture;
  const expansion = block === 'bottleneck' ? 4 : 1;
  const stem = convolution('conv1', 'bn1', 3, width, 7, 2);
  let Cin = width;
  const stages = depths.map((depth, s) =>
    Array.from({ length: depth }, (_, i) => {
      const planes = width * 2 ** s;
      const spec = blockSpec(
        architecture,
        `layer${s + 1}.${i}`,
        Cin,
        planes,
        s > 0 && i === 0 ? 2 : 1,
      );
      Cin = planes * expansion;
      return spec;
    }),
  );
  return { stem, stages, fc: { name: 'fc', Cin, Cout: classes } };
}

/** Every convolution, in the order of the forward pass. */
export function convolutionsOf({ stem, stages }: Layers): ConvolutionSpec[] {
  const blocks = stages.flat();
  return [stem, ...blocks.flatMap((b) => (b.downsample ? [...b.branch, b.downsample] : b.branch))];
}

function blockSpec(
  { block, widthPerGroup, groups, strideOn }: Architecture,
  prefix: string,
  Cin: number,
  planes: number,
  stride: number,
): BlockSpec {
  const conv = (i: number, from: number, to: number, kernel: number, by: number, g = 1) =>
    convolution(`${prefix}.conv${i}`, `${prefix}.bn${i}`, from, to, kernel, by, g);
  const Cout = block === 'bottleneck' ? 4 * planes : planes;
  // The 3×3 of a bottleneck: torchvision scales its width from 64 planes up, whatever the stem's.
  const mid = Math.floor((planes * widthPerGroup) / 64) * groups;
  const branch =
    block === 'bottleneck'
      ? [
          conv(1, Cin, mid, 1, strideOn === '1x1' ? stride : 1),
          conv(2, mid, mid, 3, strideOn === '3x3' ? stride : 1, groups),
          conv(3, mid, Cout, 1, 1),
        ]
      : [conv(1, Cin, planes, 3, stride), conv(2, planes, planes, 3, 1)];
  if (stride === 1 && Cin === Cout) return { branch };
  const shortcut = `${prefix}.downsample`;
  const downsample = convolution(`${shortcut}.0`, `${shortcut}.1`, Cin, Cout, 1, stride);
  return { branch, downsample };
}

function convolution(
  name: string,
  batchNorm: string,
  Cin: number,
  Cout: number,
  kernel: number,
  stride: number,
  groups = 1,
): ConvolutionSpec {
  return { name, batchNorm, Cin, Cout, kernel, stride, padding: (kernel - 1) / 2, groups };
}

/**
 * Infers the architecture from the names and shapes of a state dict in torchvision's naming.
 * `strideOn` leaves no trace in the weights: it has to be said.
 *
 * @throws {FormatError} naming the tensor that does not fit
 */
export function inferArchitecture(
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  strideOn: Architecture['strideOn'],
): Architecture {
  const shape = (name: string, rank: number): readonly number[] => {
    const tensor = tensors.get(name);
    if (!tensor) {
      throw new FormatError(
        `tensor ${name} is missing: not a ResNet in the naming of torchvision, timm, Hugging Face or Keras`,
      );
    }
    if (tensor.shape.length !== rank || tensor.shape.some((size) => size < 1)) {
      throw new FormatError(
        `tensor ${name} expected ${rank} dimensions ≥ 1, got [${tensor.shape}]`,
      );
    }
    return tensor.shape;
  };
  const [width, channels, kH, kW] = shape('conv1.weight', 4);
  if (channels !== 3 || kH !== 7 || kW !== 7) {
    throw new FormatError(
      `tensor conv1.weight expected [width, 3, 7, 7], got [${shape('conv1.weight', 4)}]: only the 7×7 stem is supported`,
    );
  }
  const depths: number[] = [];
  let blocks = 0;
  while (tensors.has(`layer${depths.length + 1}.0.conv1.weight`)) {
    const stage = `layer${depths.length + 1}`;
    let depth = 0;
    while (tensors.has(`${stage}.${depth}.conv1.weight`)) depth++;
    depths.push(depth);
    blocks += depth;
    if (blocks > MAX_BLOCKS) throw new FormatError(`more than ${MAX_BLOCKS} residual blocks`);
  }
  if (depths.length === 0) shape('layer1.0.conv1.weight', 4);
  const bottleneck = tensors.has('layer1.0.conv3.weight');
  const [mid, midPerGroup] = shape('layer1.0.conv2.weight', 4) as [number, number];
  const groups = bottleneck ? Math.max(1, Math.round(mid / midPerGroup)) : 1;
  return {
    block: bottleneck ? 'bottleneck' : 'basic',
    depths,
    width: width!,
    widthPerGroup: bottleneck ? Math.round((mid * 64) / (groups * width!)) : 64,
    groups,
    stem: '7x7',
    strideOn,
    classes: shape('fc.weight', 2)[0]!,
  };
}
