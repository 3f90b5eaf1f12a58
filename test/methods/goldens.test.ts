/** Attributions of goldens/graph with SIMD, and one on the portable backend; golden-attributions.slow.ts has the others. */

import { describe } from 'vitest';
import { jsKernels, wasmKernels } from '../../src/kernels/index.js';
import { attributionTests, NAMES } from './golden-attributions.js';

describe('attributions of ONNX goldens on simd', async () => {
  attributionTests(await wasmKernels('simd'), NAMES, false);
});

describe('attributions of an ONNX golden on js', () => {
  attributionTests(jsKernels(), ['resnet-grey-binary'], true);
});
