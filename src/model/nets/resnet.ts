/**
 * ResNets, from the names of their weights: basic blocks and bottlenecks, any number of stages, wide and
 * grouped ones (ResNeXt), stems of 7×7, 3×3 or three 3×3 (timm's resnet…d), shortcuts by a projection, behind
 * a mean pool (likewise), or by zeros (CIFAR's), squeeze-and-excitation.
 *
 * Source: He, Zhang, Ren, Sun, "Deep Residual Learning" (arXiv 1512.03385); ResNeXt: arXiv 1611.05431; squeeze
 * and excitation: arXiv 1709.01507; "bag of tricks", D: arXiv 1812.01187; names as in torchvision and timm.
 */

import type { NetOptions } from '../formats/metadata.js';
import type { Graph } from '../graph/node.js';
import { activation } from '../graph/operators/activation.js';
import { adaptiveMean } from '../graph/operators/adaptive-mean.js';
import { mul } from '../graph/operators/mul.js';
import { padChannels } from '../graph/operators/pad-channels.js';
import { maxPool, meanPool } from '../graph/operators/pool.js';
import type { NetBuilder, Value } from './builder.js';
import type { Family } from './family.js';
import { RESNET_NAMINGS } from './resnet-namings.js';

export const RESNET: Family = {
  name: 'resnet',
  namings: RESNET_NAMINGS,
  recognises: (tensors) => tensors.has('layer1.0.conv1.weight'),
  build(b, options) {
    const stem = stemOf(b, options);
    let { x } = stem;
    const depths: number[] = [];
    while (b.has(`layer${depths.length + 1}.0.conv1.weight`)) {
      const stage = `layer${depths.length + 1}`;
      let depth = 0;
      while (b.has(`${stage}.${depth}.conv1.weight`)) depth++;
      for (let i = 0; i < depth; i++) {
        const stride = depths.length > 0 && i === 0 ? 2 : 1;
        const name = i === depth - 1 ? stage : `${stage}.${i}`;
        x = block(b, `${stage}.${i}`, name, x, stride, options.strideOn);
      }
      depths.push(depth);
    }
    const isBottleneck = b.has('layer1.0.conv3.weight');
    const graph: Graph = b.classified(x);
    return {
      graph,
      facts: {
        block: isBottleneck ? 'bottleneck' : 'basic',
        depths,
        width: stem.x.C,
        stem: stem.kind,
        ...(stem.kind === '3x3' && { maxPool: options.maxPool }),
        ...(isBottleneck && { strideOn: options.strideOn }),
      },
    };
  },
};

function stemOf(b: NetBuilder, { maxPool: pooled }: NetOptions): { x: Value; kind: string } {
  if (b.has('conv1.0.weight')) {
    let x = b.input('conv1.0.weight');
    for (let i = 0; b.has(`conv1.${i}.weight`); i += 3) {
      const norm = b.has(`conv1.${i + 3}.weight`) ? `conv1.${i + 1}` : 'bn1';
      x = b.convNormRelu(`conv1.${i}`, norm, x, { kernel: 3, stride: i === 0 ? 2 : 1 });
    }
    return { x: pool(b, x), kind: 'deep' };
  }
  const [, , kernel] = b.shapeOf('conv1.weight', 4);
  const picture = b.input('conv1.weight');
  const isSmall = kernel === 3;
  const conv = b.conv('conv1', picture, isSmall ? { kernel: 3 } : { kernel: 7, stride: 2 });
  const x = b.relu('relu', b.batchNorm('bn1', conv));
  const kind = isSmall ? '3x3' : '7x7';
  return { x: isSmall && !pooled ? x : pool(b, x), kind };
}

function pool(b: NetBuilder, x: Value): Value {
  return b.node('maxpool', maxPool({ kernel: [3, 3], stride: [2, 2], pads: [1, 1, 1, 1] }), [x]);
}

function block(
  b: NetBuilder,
  prefix: string,
  name: string,
  x: Value,
  stride: number,
  strideOn: NetOptions['strideOn'],
): Value {
  const conv = (i: number) => `${prefix}.conv${i}`;
  const norm = (i: number) => `${prefix}.bn${i}`;
  const isBottleneck = b.has(`${conv(3)}.weight`);
  const strides = isBottleneck && strideOn === '3x3' ? [1, stride] : [stride, 1];
  let y = b.convNormRelu(conv(1), norm(1), x, {
    kernel: isBottleneck ? 1 : 3,
    stride: strides[0]!,
  });
  const second = { kernel: 3, stride: strides[1]!, grouped: isBottleneck };
  if (isBottleneck) {
    y = b.convNormRelu(conv(2), norm(2), y, second);
    y = b.batchNorm(norm(3), b.conv(conv(3), y));
  } else {
    y = b.batchNorm(norm(2), b.conv(conv(2), y, second));
  }
  if (b.has(`${prefix}.se.fc1.weight`)) y = excited(b, `${prefix}.se`, y);
  const shortcut = shortcutOf(b, prefix, x, y.C, stride);
  return b.relu(name, b.add(`${prefix}.add`, y, shortcut));
}

/** Squeeze and excitation: each channel by a factor that all pixels' means decide. */
function excited(b: NetBuilder, prefix: string, x: Value): Value {
  const mean = b.node(`${prefix}.mean`, adaptiveMean(1, 1), [x]);
  const hidden = b.relu(`${prefix}.fc1.relu`, b.conv(`${prefix}.fc1`, mean));
  const factor = b.node(`${prefix}.gate`, activation('sigmoid'), [b.conv(`${prefix}.fc2`, hidden)]);
  return b.node(prefix, mul(), [x, factor]);
}

function shortcutOf(b: NetBuilder, prefix: string, x: Value, C: number, stride: number): Value {
  const downsample = b.has(`${prefix}.shortcut.0.weight`) ? 'shortcut' : 'downsample';
  const at = (i: number) => `${prefix}.${downsample}.${i}`;
  if (b.has(`${at(0)}.weight`)) return b.batchNorm(at(1), b.conv(at(0), x, { stride }));
  if (b.has(`${at(1)}.weight`)) {
    const window = { kernel: [2, 2], stride: [2, 2], ceil: true } as const;
    const mean = stride === 1 ? x : b.node(at(0), meanPool(window), [x]);
    return b.batchNorm(at(2), b.conv(at(1), mean));
  }
  if (stride === 1 && x.C === C) return x;
  // Every other pixel, and zeros for the channels that are new.
  const window = { kernel: [1, 1], stride: [stride, stride] } as const;
  const fewer = stride === 1 ? x : b.node(`${prefix}.subsample`, maxPool(window), [x]);
  const more = C - x.C;
  if (more < 0) throw b.fail(`tensor ${prefix}.downsample.0.weight is missing`);
  const before = more >> 1;
  return b.node(`${prefix}.pad`, padChannels(before, more - before), [fewer], C);
}
