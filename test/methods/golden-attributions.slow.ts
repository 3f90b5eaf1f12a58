/** Attributions of goldens/graph on the portable backend: a minute. */

import { describe } from 'vitest';
import { jsKernels } from '../../src/kernels/index.js';
import { attributionTests, NAMES } from './golden-attributions.js';

describe('attributions of ONNX goldens on js', () => attributionTests(jsKernels(), NAMES, true));
