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
  restingLayers,
} from './memory.js';
export { NetworkWeights, type ResNetOptions } from './network-weights.js';
export { type Orientation, orient, orientationOf } from './orientation.js';
export { type Plan, type PlanOptions, plan, smoeOps, type Tap } from './plan.js';
export * from './preprocess.js';
export { type Bitmap, type Interpolation, type ResizeWindow, resize } from './resize.js';
export { type Forward, ResNet } from './resnet.js';
export { type ProgressOptions, streamWeights } from './weight-stream.js';
export type { ByteSource } from './weights/byte-source.js';
export type { ByteStream, ByteStreamReader } from './weights/byte-stream.js';
export { decodeFloats } from './weights/dtype.js';
export {
  architectureOf,
  batchNormEpsOf,
  labelsOf,
  preprocessingOf,
} from './weights/metadata.js';
export { asTorchvision } from './weights/naming.js';
export { type CheckpointArchive, parseCheckpoint } from './weights/pytorch.js';
export {
  parseSafetensors,
  type SafetensorsFile,
  safetensorsHeader,
  type TensorInfo,
  writeSafetensors,
} from './weights/safetensors.js';
export { joinShards, MAX_SHARDS, parseShardIndex, type ShardIndex } from './weights/sharded.js';
export { type StoredTensor, storedPrecision, storedTensor } from './weights/stored-tensor.js';
export { scaleName, sizeOf, type TensorShape, type TensorSource } from './weights/tensor-source.js';
export {
  checkLayers,
  checkTensors,
  type ExpectedTensor,
  type LayerTensors,
} from './weights/weight-reader.js';
