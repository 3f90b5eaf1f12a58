/**
 * DenseNet, from the names of its weights: any number and size of blocks, any growth; a stem of 7×7, or of 3×3
 * without a pool (CIFAR's).
 *
 *   layer   [x₀ x₁ … xₙ₋₁] → norm1, relu, conv1 (1×1) → norm2, relu, conv2 (3×3) = xₙ
 *
 * Source: Huang, Liu, van der Maaten, Weinberger (arXiv 1608.06993); names as in torchvision and timm.
 */

import type { NetBuilder, Value } from './builder.js';
import type { Family } from './family.js';
import { classified } from './head.js';

export const DENSENET: Family = {
  name: 'densenet',
  namings: [
    {
      // Also the names in torchvision's published files. In a backbone there is no `features`.
      first: /(?<![^.])(?:features\.)?denseblock1\.denselayer1\.conv\.?1\.weight$/,
      torchvisionName(key, isOutside, [first]) {
        const own = isOutside || first.startsWith('features.') ? key : `features.${key}`;
        return own.replace(/(denselayer\d+)\.(norm|conv)\.(\d)\./, '$1.$2$3.');
      },
      // torchvision's forward ends its features with a ReLU. A Sequential of its children does not have it.
      implied: (prefix, [first]) =>
        !first.startsWith('features.') && /(?:^|\.)\d+\.$/.test(prefix)
          ? { architecture: { activatesFeatures: false } }
          : {},
    },
  ],
  build(b) {
    let x = stem(b);
    const blocks: number[] = [];
    while (b.has(`features.denseblock${blocks.length + 1}.denselayer1.conv1.weight`)) {
      const n = blocks.length + 1;
      const values = denseBlock(b, `features.denseblock${n}`, x);
      blocks.push(values.length - 1);
      x = b.concat(`features.denseblock${n}`, values);
      const transition = `features.transition${n}`;
      if (!b.has(`${transition}.conv.weight`)) continue;
      const y = b.relu(`${transition}.relu`, b.batchNorm(`${transition}.norm`, x));
      x = b.meanPool(`${transition}.pool`, b.conv(`${transition}.conv`, y));
    }
    const last = `features.norm${b.has('features.norm5.weight') ? 5 : '_final'}`;
    x = b.batchNorm(last, x);
    const { activatesFeatures } = b.options;
    // In torchvision this ReLU is a function, not a module, whatever the other activations are. In timm it is part of
    // the norm.
    const kind = b.isWhole ? (b.factsOf(`${last}.act`)?.activation ?? 'relu') : undefined;
    if (activatesFeatures) x = b.relu('relu', x, kind);
    const facts = { blocks, ...(!activatesFeatures && { activatesFeatures }) };
    return { graph: classified(b, x), facts };
  },
};

function stem(b: NetBuilder): Value {
  const [, , kernel] = b.shapeOf('features.conv0.weight', 4);
  const isSmall = kernel === 3;
  const picture = b.input('features.conv0.weight');
  const options = isSmall ? { kernel: 3 } : { kernel: 7, stride: 2 };
  const conv = b.conv('features.conv0', picture, options);
  if (isSmall && !b.has('features.norm0.weight')) return conv;
  const x = b.relu('features.relu0', b.batchNorm('features.norm0', conv));
  return isSmall ? x : b.maxPool('features.pool0', x, 3, 1);
}

/** @returns the block's input, and the output of each of its layers */
function denseBlock(b: NetBuilder, prefix: string, x: Value): Value[] {
  const values = [x];
  while (b.has(`${prefix}.denselayer${values.length}.conv1.weight`)) {
    const layer = `${prefix}.denselayer${values.length}`;
    const all = b.concat(`${layer}.concat`, values);
    const first = b.relu(`${layer}.relu1`, b.batchNorm(`${layer}.norm1`, all));
    const second = b.convNormRelu(`${layer}.conv1`, `${layer}.norm2`, first);
    values.push(b.conv(`${layer}.conv2`, second, { kernel: 3 }));
  }
  return values;
}
