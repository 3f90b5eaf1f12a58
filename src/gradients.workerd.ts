/**
 * `fastcam/gradients` on workerd, which compiles WebAssembly only while a worker starts: gradients.ts, with the kernels
 * of the backward pass as a compiled module.
 */

import { attribute as attributeWith } from './attribute.js';
import { gradientKernels } from './kernels/gradient/index.js';
import module from './kernels/wasm/gradient.wasm';
import { withGradients as withKernels } from './with-gradients.js';

// Named exports take precedence over `export *`.
export * from './gradients.js';

export const attribute: typeof attributeWith = (...given) => {
  gradientKernels.module = module;
  return attributeWith(...given);
};

export const withGradients: typeof withKernels = (net) => {
  gradientKernels.module = module;
  return withKernels(net);
};
