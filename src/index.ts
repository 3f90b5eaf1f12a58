/** `fastcam`: takes bytes and pixels, gives arrays. No runtime dependency, no Node or DOM global, no eval. */

export type { Calibration } from './calibration.js';
export { FormatError, ShapeError, UnsupportedError } from './errors.js';
export {
  type ExplainingNetwork,
  type ExplainOptions,
  explain,
  explainBatch,
  type FloatTensor,
  type LoadOptions,
  loadNetwork,
  loadNetwork as loadResNet,
  networkOf,
} from './explain.js';
export type { Cost, Explanation, Prediction } from './explanation.js';
export type {
  DrawnPicture,
  Picture,
  Region,
} from './image/index.js';
export {
  type Backend,
  jsKernels,
  type Kernels,
  makeKernels,
  type Statistic,
  type WasmModule,
  type WasmOptions,
  wasmKernels,
} from './kernels/index.js';
export type { CamMethod, ClassMaps } from './methods/index.js';
export type { ByteStream, ByteStreamReader, Network } from './model/index.js';
export type { NdArray, SaliencyMap } from './viz/index.js';
