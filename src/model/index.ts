/** ResNets: architecture, plan, weights, forward pass, class activation maps: `fastcam/model`. */

export * from './architecture.js';
export * from './cam.js';
export { type Plan, type PlanOptions, plan, type Tap } from './plan.js';
export * from './preprocess.js';
export { type Bitmap, type Interpolation, type ResizeWindow, resize } from './resize.js';
export { type Forward, ResNet, type ResNetOptions } from './resnet.js';
export type { ByteSource } from './weights/byte-source.js';
export { labelsOf } from './weights/metadata.js';
export { asTorchvision } from './weights/naming.js';
export { type CheckpointArchive, parseCheckpoint } from './weights/pytorch.js';
export * from './weights/safetensors.js';
export { joinShards, parseShardIndex, type ShardIndex } from './weights/sharded.js';
export type { TensorShape, TensorSource } from './weights/tensor-source.js';
