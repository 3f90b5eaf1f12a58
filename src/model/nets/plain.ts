/**
 * The common part of VGG and AlexNet: `features`, one convolution after the other, each with a ReLU and
 * perhaps a batch norm, with max pools between some of them and after the last. Pools have no weights. They
 * are found by gaps in the numbers of the layers: each pool leaves out one number.
 */

import type { Naming } from '../formats/naming.js';
import type { LayerOptions, NetBuilder, Value } from './builder.js';

/** The naming of torchvision and timm. */
export const PLAIN_NAMINGS: readonly Naming[] = [{ first: /(?<![^.])features\.0\.weight$/ }];

/**
 * @param optionsOf returns the options of a convolution for the side of its kernel
 * @param window side of the pools' windows; their stride is 2
 */
export function plainFeatures(
  b: NetBuilder,
  optionsOf: (kernel: number) => LayerOptions,
  window: number,
): { x: Value; convolutions: number } {
  const indices = [...b.source.tensors]
    .filter(([name, { shape }]) => shape.length === 4 && /^features\.\d+\.weight$/.test(name))
    .map(([name]) => Number(name.split('.')[1]))
    .sort((a, c) => a - c);
  const knowsPools = b.pools().some((name) => name.startsWith('features.'));
  let x = b.input(`features.${indices[0]}.weight`);
  for (const [n, i] of indices.entries()) {
    const layer = `features.${i}`;
    x = b.conv(layer, x, optionsOf(b.shapeOf(`${layer}.weight`, 4)[2]!));
    const hasNorm = b.has(`features.${i + 1}.running_mean`);
    if (hasNorm) x = b.batchNorm(`features.${i + 1}`, x);
    const end = i + (hasNorm ? 2 : 1);
    x = b.relu(`features.${end}`, x);
    const left = (indices[n + 1] ?? end + 2) - end;
    if (left !== 1 && left !== 2) {
      throw b.fail(
        `features.${indices[n + 1]} follows features.${i}: expected ${end + 1}, or ${end + 2} behind a pool`,
      );
    }
    const pool = `features.${end + 1}`;
    // A dropout leaves out a number, too; a whole module states whether it is a pool.
    if (left === 2 && (!knowsPools || b.factsOf(pool)?.kernel)) x = b.maxPool(pool, x, window);
  }
  return { x, convolutions: indices.length };
}
