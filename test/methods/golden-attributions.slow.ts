/** Attributions of goldens/graph on the portable backend, a minute, and with relaxed SIMD. */

import { describe } from 'vitest';
import { jsKernels, wasmKernels } from '../../src/kernels/index.js';
import { attributionTests, NAMES } from './golden-attributions.js';

describe('attributions of ONNX goldens on js', () => attributionTests(jsKernels(), NAMES, true));

describe('attributions of ONNX goldens on relaxed', async () => {
  attributionTests(await wasmKernels('relaxed'), NAMES, false);
});
