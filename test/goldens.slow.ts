/** The largest ResNet of the goldens on the portable backend. */

import { it } from 'vitest';
import { jsKernels } from '../src/kernels/index.js';
import { expectResNetGolden, RESNET_GOLDENS } from './golden-networks.js';

it('resnet50 at 224 × 224 on js: logits within 2e-5, SMOE within 2e-3 (median 1e-5), combined and CAMs within 1e-3', () => {
  expectResNetGolden(jsKernels(), ...RESNET_GOLDENS.at(-1)!);
});
