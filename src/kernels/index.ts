/** Operators on flat arrays: `fastcam/kernels`. */

export {
  digamma,
  erf,
  erfc,
  gammaP,
  gammaQ,
  gammaShape,
  lgamma,
  logMinusDigamma,
  trigamma,
} from '../math/index.js';
export { BACKENDS, type Backend, makeKernels } from './backend.js';
export {
  type Conv2dEpilogue,
  type Conv2dParameters,
  type Conv2dScratch,
  type Conv2dShape,
  conv2d,
  conv2dReference,
  conv2dScratch,
  conv2dShape,
  type PackedConv2d,
  packConv2d,
} from './js/conv2d.js';
export * from './js/global-average-pool.js';
export { jsKernels } from './js/js-kernels.js';
export { type JsLinear, linear, packLinear } from './js/linear.js';
export * from './js/max-pool.js';
export { relu } from './js/relu.js';
export { type LayerWeights, layerWeights } from './layer-weights.js';
export { PRECISIONS, type Precision, WEIGHT_BYTES } from './precision.js';
export type { ColumnValues } from './statistics/columns.js';
export { renyiEntropy, shannonEntropy } from './statistics/entropy.js';
export { gammaScale } from './statistics/gamma.js';
export { type ColumnStatistic, STATISTICS, type Statistic } from './statistics/index.js';
export { logNormalEntropy, logNormalMean } from './statistics/log-normal.js';
export { STATISTIC_NAMES } from './statistics/names.js';
export { columnMax, columnMean, columnSd, normalEntropy } from './statistics/normal.js';
export { SMOE_EPS, smoeReference, smoeScale } from './statistics/smoe.js';
export {
  truncatedNormalEntropy,
  truncatedNormalMean,
  truncatedNormalSd,
} from './statistics/truncated-normal.js';
export type * from './step.js';
export type { WasmBuild } from './wasm/modules.js';
export { type WasmOptions, wasmKernels } from './wasm/wasm-kernels.js';
export type { WasmModule } from './wasm/webassembly.js';
