/** `fastcam`: bytes and pixels in, arrays out. No runtime dependency, no Node or DOM global, no eval. */

export type { Calibration } from './calibration.js';
export { FormatError, ShapeError, UnsupportedError } from './errors.js';
export {
  type ExplainOptions,
  explain,
  explainBatch,
  FastCam,
  type FloatTensor,
  type LoadOptions,
  loadResNet,
} from './explain.js';
export type { ClassMaps, Cost, Explanation, Prediction } from './explanation.js';
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
export {
  type ByteStream,
  type ByteStreamReader,
  type Orientation,
  orient,
  orientationOf,
} from './model/index.js';
export type { NdArray, Picture, Region, SaliencyMap } from './viz/index.js';
