/** `fastcam/model`: networks (graphs, families, weights, the forward pass) and the preprocessing of pictures. */

export * from '../image/index.js';
export { classIndex, topClass } from './class-index.js';
export { type ByteSource, checkFile } from './formats/byte-source.js';
export type { ByteStream, ByteStreamReader } from './formats/byte-stream.js';
export { decodeFloats } from './formats/dtype.js';
export {
  type Activation,
  architectureOf,
  labelsOf,
  metadataObject,
  type NetOptions,
  preprocessingOf,
  storedPrecision,
} from './formats/metadata.js';
export {
  parseSafetensors,
  type SafetensorsFile,
  type TensorInfo,
} from './formats/safetensors.js';
export { joinShards } from './formats/sharded.js';
export { scaleName, sizeOf, type TensorShape, type TensorSource } from './formats/tensor-source.js';
export {
  type Graph,
  type Node,
  type Operator,
  shapesOf,
  type ValueShape,
} from './graph/node.js';
export { isConv } from './graph/operators/conv.js';
export { inputChannels } from './graph/operators/input.js';
export { relu } from './graph/operators/relu.js';
export { tap } from './graph/operators/tap.js';
export {
  type KeptValue,
  type Plan,
  type PlanOptions,
  plan,
  smoeOps,
  type Tap,
} from './graph/plan.js';
export { scaleEnds } from './graph/scale-ends.js';
export { type ExpectedTensor, layersOf, type RestingLayers, tensorsOf } from './layers.js';
export {
  type Architecture,
  type RecognizedNetwork,
  type RecognizeOptions,
  recognizeNetwork,
  tensorsTaken,
} from './nets/index.js';
export {
  type ClassActivation,
  type Forward,
  type ForwardOptions,
  Network,
  type NetworkOptions,
  type Pass,
} from './network.js';
export {
  megabytes,
  type PreparedNetwork,
  packedBytes,
  passBytes,
  prepareNetwork,
  usualSize,
} from './prepared.js';
export { type ProgressOptions, streamWeights } from './weight-stream.js';
