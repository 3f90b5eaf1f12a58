/**
 * ResNets, from the names of their weights:
 *
 *   basic blocks and bottlenecks, wide and grouped ones (ResNeXt), any number of stages;
 *   stems of 7×7, 3×3 or three 3×3 (timm's resnet…d);
 *   shortcuts by a projection, by a projection after a mean pool (resnet…d), or by zeros (CIFAR's);
 *   squeeze-and-excitation.
 *
 * Source: He, Zhang, Ren, Sun, "Deep Residual Learning" (arXiv 1512.03385); ResNeXt: arXiv 1611.05431; squeeze
 * and excitation: arXiv 1709.01507; "bag of tricks", D: arXiv 1812.01187; names as in torchvision and timm.
 */

import { activation } from '../graph/operators/activation.js';
import { adaptiveMean } from '../graph/operators/adaptive-mean.js';
import { mul } from '../graph/operators/mul.js';
import { padChannels } from '../graph/operators/pad-channels.js';
import { maxPool } from '../graph/operators/pool.js';
import { relu } from '../graph/operators/relu.js';
import type { NetBuilder, Value } from './builder.js';
import type { Family } from './family.js';
import { classified } from './head.js';
import { RESNET_NAMINGS } from './resnet-namings.js';

export const RESNET: Family = {
  name: 'resnet',
  namings: RESNET_NAMINGS,
  build(b) {
    const { strideOn, strides, dilations } = b.options;
    const stem = stemOf(b);
    let { x } = stem;
    const depths: number[] = [];
    let dilation = 1;
    while (b.hasLayer(`layer${depths.length + 1}.0.conv1`)) {
      const stage = `layer${depths.length + 1}`;
      const before = dilation;
      dilation = dilations[depths.length] ?? 1;
      const usual = depths.length > 0 && dilation <= before ? 2 : 1;
      const stride = strides[depths.length] ?? usual;
      let depth = 0;
      while (b.hasLayer(`${stage}.${depth}.conv1`)) depth++;
      for (let i = 0; i < depth; i++) {
        const name = i === depth - 1 ? stage : `${stage}.${i}`;
        // The first block still has the dilation of the stage before.
        const own = i === 0 ? { stride, dilation: before } : { stride: 1, dilation };
        x = block(b, `${stage}.${i}`, name, x, { ...own, second: dilation });
      }
      depths.push(depth);
    }
    const isBottleneck = b.hasLayer('layer1.0.conv3');
    return {
      graph: classified(b, x),
      facts: {
        block: isBottleneck ? 'bottleneck' : 'basic',
        depths,
        width: stem.x.C,
        stem: stem.kind,
        ...((stem.kind === '3x3' || !stem.isPooled) && { maxPool: stem.isPooled }),
        ...(isBottleneck && { strideOn }),
        strides,
        dilations,
      },
    };
  },
};

interface Stem {
  readonly x: Value;
  readonly kind: string;
  readonly isPooled: boolean;
}

function stemOf(b: NetBuilder): Stem {
  // OpenMMLab says `stem` where timm says `conv1`.
  const deep = ['conv1', 'stem'].find((layer) => b.weightName(`${layer}.0`));
  if (deep !== undefined) {
    let x = b.input(`${deep}.0.weight`);
    for (let i = 0; b.weightName(`${deep}.${i}`); i += 3) {
      const next = `${deep}.${i + 1}`;
      const norm = b.has(`${next}.running_mean`) || b.has(`${next}.weight`) ? next : 'bn1';
      x = b.convNormRelu(`${deep}.${i}`, norm, x, { kernel: 3, stride: i === 0 ? 2 : 1 });
    }
    return { ...pooled(b, x, true), kind: 'deep' };
  }
  const weight = b.weightName('conv1') ?? 'conv1.weight';
  const kernel = b.shapeOf(weight, 4)[2]!;
  if (isPreactivated(b)) {
    throw b.fail(
      'a ResNet of pre-activations, whose batch norms come before convolutions: not supported',
    );
  }
  const isSmall = kernel === 3;
  const options = isSmall ? { kernel } : { kernel, stride: 2 };
  const conv = b.conv('conv1', b.input(weight), options);
  const x = b.relu('relu', b.batchNorm('bn1', conv));
  if (kernel !== 3 && kernel !== 7 && !b.isWhole) {
    b.doubts.push(`a stem of ${kernel}×${kernel} is taken for one of stride 2 with a max pool`);
  }
  return { ...pooled(b, x, !isSmall), kind: `${kernel}x${kernel}` };
}

/** Whether blocks begin with norms (pre-activation): then a norm has the channels of its convolution's input. */
function isPreactivated(b: NetBuilder): boolean {
  const sizeOf = (tensor: string, d = 0): number | undefined =>
    b.source.tensors.get(tensor)?.shape[d];
  const normOf = (name: string) => sizeOf(`${name}.weight`) ?? sizeOf(`${name}.running_mean`);
  const stem = normOf('bn1');
  if (stem === undefined) return !b.has('conv1.bias') && normOf('layer1.0.bn1') !== undefined;
  const [first, given, made] = [
    normOf('layer1.0.bn1'),
    sizeOf('layer1.0.conv1.weight', 1),
    sizeOf('layer1.0.conv1.weight'),
  ];
  return given !== made && first === given;
}

/** Adds the max pool after the stem: if a whole module has it, else if the options say so, else if it is usual. */
function pooled(b: NetBuilder, x: Value, usual: boolean): Pick<Stem, 'x' | 'isPooled'> {
  const name = poolName(b, usual);
  return { x: name === undefined ? x : b.maxPool(name, x, 3, 1), isPooled: name !== undefined };
}

function poolName(b: NetBuilder, usual: boolean): string | undefined {
  const usualName = 'maxpool';
  const facts = b.factsOf(usualName);
  if (facts?.kernel) return usualName;
  // A pool outside of the stages, with any name.
  const others = [
    ...b.pools('max').filter((name) => !name.includes('.')),
    ...b.pools().filter((name) => name.startsWith(`${usualName}.`)),
  ];
  if (others.length > 1) {
    throw b.fail(`which of the pools ${others.join(', ')} follows the stem is not known`);
  }
  if (others.length === 1) return others[0];
  const isSaid = b.options.maxPool !== undefined || facts !== undefined;
  return (isSaid ? b.options.maxPool : usual) ? usualName : undefined;
}

interface BlockOptions {
  readonly stride: number;
  /** Dilation of the first convolution that is not 1×1, and of a basic block's second. */
  readonly dilation: number;
  readonly second: number;
}

function block(
  b: NetBuilder,
  prefix: string,
  name: string,
  x: Value,
  { stride, dilation, second }: BlockOptions,
): Value {
  const conv = (i: number) => `${prefix}.conv${i}`;
  const norm = (i: number) => `${prefix}.bn${i}`;
  const told = [1, 2, 3].flatMap((i) => b.factsOf(conv(i))?.stride?.[0] ?? []);
  const whole = told.length > 0 ? told.reduce((product, s) => product * s, 1) : stride;
  let y: Value;
  if (b.hasLayer(conv(3))) {
    const [first, inner] = b.options.strideOn === '3x3' ? [1, stride] : [stride, 1];
    y = b.convNormRelu(conv(1), norm(1), x, { stride: first! });
    const options = { kernel: 3, stride: inner!, dilation, grouped: true };
    y = b.convNormRelu(conv(2), norm(2), y, options);
    y = b.batchNorm(norm(3), b.conv(conv(3), y));
  } else {
    y = b.convNormRelu(conv(1), norm(1), x, { kernel: 3, stride, dilation });
    y = b.batchNorm(norm(2), b.conv(conv(2), y, { kernel: 3, dilation: second }));
  }
  const se = [`${prefix}.se.fc1`, `${prefix}.se.fc.0`].find((layer) => b.weightName(layer));
  if (se !== undefined) y = excited(b, `${prefix}.se`, se, y);
  const shortcut = shortcutOf(b, prefix, x, y.C, whole);
  return b.relu(name, b.add(`${prefix}.add`, y, shortcut));
}

/** Squeeze and excitation: each channel is multiplied by a factor, computed from the means of all channels. */
function excited(b: NetBuilder, prefix: string, first: string, x: Value): Value {
  const mean = b.node(`${prefix}.mean`, adaptiveMean(1, 1), [x]);
  const second = first.endsWith('1') ? `${prefix}.fc2` : `${prefix}.fc.2`;
  // Always a ReLU, whatever the network's activation function is.
  const hidden = b.node(`${first}.relu`, relu(), [b.linear(first, mean)]);
  const gate = activation('sigmoid');
  const factor = b.node(`${prefix}.gate`, gate, [b.linear(second, hidden)]);
  return b.node(prefix, mul(), [x, factor]);
}

function shortcutOf(b: NetBuilder, prefix: string, x: Value, C: number, stride: number): Value {
  const downsample = b.weightName(`${prefix}.shortcut.0`) ? 'shortcut' : 'downsample';
  const at = (i: number) => `${prefix}.${downsample}.${i}`;
  if (b.weightName(at(0))) return b.batchNorm(at(1), b.conv(at(0), x, { stride }));
  if (b.weightName(at(1))) {
    const mean = stride === 1 ? x : b.meanPool(at(0), x, true);
    return b.batchNorm(at(2), b.conv(at(1), mean));
  }
  if (stride === 1 && x.C === C) return x;
  // Every other pixel, and zeros for the new channels.
  const window = { kernel: [1, 1], stride: [stride, stride] } as const;
  const fewer = stride === 1 ? x : b.node(`${prefix}.subsample`, maxPool(window), [x]);
  const more = C - x.C;
  if (more < 0) throw b.fail(`tensor ${prefix}.downsample.0.weight is missing`);
  const before = more >> 1;
  return b.node(`${prefix}.pad`, padChannels(before, more - before), [fewer], C);
}
