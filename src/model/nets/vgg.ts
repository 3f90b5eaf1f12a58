/**
 * VGG, from the names of its weights: any depth and widths, with and without batch norm. The classifier is
 * fully connected (torchvision) or made of convolutions (timm).
 *
 * Source: Simonyan & Zisserman (arXiv 1409.1556); names as in torchvision and timm.
 */

import type { Graph } from '../graph/node.js';
import { adaptiveMean } from '../graph/operators/adaptive-mean.js';
import type { NetBuilder, Value } from './builder.js';
import type { Family } from './family.js';
import { classified } from './head.js';
import { PLAIN_NAMINGS, plainFeatures } from './plain.js';
import { checkUnused } from './unused.js';

export const VGG: Family = {
  name: 'vgg',
  namings: PLAIN_NAMINGS,
  // SqueezeNet begins in the same way, but then has modules with parts.
  recognises: (tensors) =>
    tensors.get('features.0.weight')?.shape[2] === 3 &&
    [...tensors.keys()].every((name) => !/^features\.\d+\.\w+\./.test(name)),
  build(b) {
    const { x, convolutions } = plainFeatures(b, () => ({ kernel: 3 }), 2);
    const isTimm = b.has('pre_logits.fc1.weight');
    const graph = isTimm ? byConvolutions(b, x) : classified(b, x);
    return { graph, facts: { convolutions, batchNorm: b.has('features.1.running_mean') } };
  },
};

/** timm's classifier: the first layer is as large as the map; the last is applied to the mean of the result. */
function byConvolutions(b: NetBuilder, x: Value): Graph {
  const [, , kernel] = b.shapeOf('pre_logits.fc1.weight', 4) as [number, number, number];
  const first = b.conv('pre_logits.fc1', x, { kernel, padding: 0 });
  const second = b.conv('pre_logits.fc2', b.relu('pre_logits.act1', first));
  const mean = b.node('avgpool', adaptiveMean(1, 1), [b.relu('pre_logits.act2', second)]);
  const logits = b.linear('head.fc', mean);
  checkUnused(b, b.topNames());
  return b.finish(logits, logits.C);
}
