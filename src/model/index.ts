/** ResNets: architecture, plan, weights, forward pass, class activation maps: `fastcam/model`. */

export * from '../image/index.js';
export * from './architecture.js';
export * from './cam.js';
export type { ByteSource } from './formats/byte-source.js';
export type { ByteStream, ByteStreamReader } from './formats/byte-stream.js';
export { decodeFloats } from './formats/dtype.js';
export {
  architectureOf,
  batchNormEpsOf,
  labelsOf,
  preprocessingOf,
} from './formats/metadata.js';
export { asTorchvision } from './formats/naming.js';
export { type CheckpointArchive, parseCheckpoint } from './formats/pytorch.js';
export {
  parseSafetensors,
  type SafetensorsFile,
  safetensorsHeader,
  type TensorInfo,
  writeSafetensors,
} from './formats/safetensors.js';
export { joinShards, MAX_SHARDS, parseShardIndex, type ShardIndex } from './formats/sharded.js';
export { type StoredTensor, storedPrecision, storedTensor } from './formats/stored-tensor.js';
export { scaleName, sizeOf, type TensorShape, type TensorSource } from './formats/tensor-source.js';
export {
  checkLayers,
  checkTensors,
  type ExpectedTensor,
  type LayerTensors,
} from './formats/weight-reader.js';
export { type ProgressOptions, streamWeights } from './formats/weight-stream.js';
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
export { type Plan, type PlanOptions, plan, smoeOps, type Tap } from './plan.js';
export { type Forward, ResNet } from './resnet.js';
