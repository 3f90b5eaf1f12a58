/** What training adds to the kernels: gradients of weights, batch norms over a batch, and weights that change in place. */

import { Extension } from '../wasm/extension.js';
import { MODULE } from './embedded.js';

export * from './batch-norm.js';
export * from './weight-gradient.js';
export { weightPanels } from './weight-panels.js';

/** The kernels of training for the SIMD backend (assembly/). */
export const trainingKernels: Extension = new Extension(MODULE);
