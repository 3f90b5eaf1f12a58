/**
 * AlexNet, from the names of its weights, with any widths.
 *
 * Source: Krizhevsky, "One weird trick" (arXiv 1404.5997); names as in torchvision.
 */

import type { LayerOptions } from './builder.js';
import type { Family } from './family.js';
import { classified } from './head.js';
import { PLAIN_NAMINGS, plainFeatures } from './plain.js';

const FIRST_KERNEL = 11;

export const ALEXNET: Family = {
  name: 'alexnet',
  namings: PLAIN_NAMINGS,
  recognises: (tensors) => tensors.get('features.0.weight')?.shape[2] === FIRST_KERNEL,
  build(b) {
    const optionsOf = (kernel: number): LayerOptions =>
      kernel === FIRST_KERNEL ? { kernel, stride: 4, padding: 2 } : { kernel, grouped: true };
    const { x, convolutions } = plainFeatures(b, optionsOf, 3);
    // The classifier of bearpaw/pytorch-classification.
    if (b.source.tensors.get('classifier.weight')?.shape[1] === x.C) {
      b.doubts.push('an AlexNet for CIFAR may pad and pool otherwise');
    }
    return { graph: classified(b, x), facts: { convolutions } };
  },
};
