/** The maps of a picture that was divided are those of the whole picture, bit for bit, on the portable backend. */

import { describe } from 'vitest';
import { jsKernels } from '../../src/index.js';
import { tiledTests } from './tiled-tests.js';

describe('explainTiled on js', () => tiledTests(async () => jsKernels()));
