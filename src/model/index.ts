/** ResNets: architecture, plan, weights, forward pass, class activation maps: `fastcam/model`. */

export * from './architecture.js';
export * from './cam.js';
export {
  largestInput,
  type Memory,
  type MemoryOptions,
  memoryOf,
  packedBytes,
  parameterCount,
} from './memory.js';
export { type Plan, type PlanOptions, plan, smoeOps, type Tap } from './plan.js';
export * from './preprocess.js';
export { type Bitmap, type Interpolation, type ResizeWindow, resize } from './resize.js';
export { type Forward, ResNet, type ResNetOptions, type TensorSource } from './resnet.js';
export * from './weights/safetensors.js';
