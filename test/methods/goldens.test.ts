/** Attributions of goldens/graph on every backend; golden-attributions.slow.ts has all of them on the portable one. */

import { describe } from 'vitest';
import { BACKENDS } from '../kernels/backends.js';
import { attributionTests, NAMES } from './golden-attributions.js';

describe.each(BACKENDS.filter(({ name }) => name !== 'simd without Winograd'))(
  'attributions of ONNX goldens on $name',
  async ({ name, make }) => {
    const isPortable = name === 'js';
    attributionTests(await make(), isPortable ? ['resnet-grey-binary'] : NAMES, isPortable);
  },
);
