/**
 * Operators on flat arrays, and the portable backend. The other backends are not here: a network receives its
 * backend as an argument, so that a bundle contains the SIMD builds only if the program makes that backend.
 */

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
export {
  ACTIVATION_PARAMETERS,
  type ActivationFunction,
  type ActivationName,
  limitsOf,
} from './activation.js';
export {
  type Conv2dParameters,
  type Conv2dShape,
  type Conv2dWeightShape,
  conv2dMacs,
  conv2dShape,
  isDepthwise,
} from './conv2d-shape.js';
export * from './js/activation.js';
export * from './js/arithmetic.js';
export * from './js/columns.js';
export { conv2d, conv2dReference, conv2dScratch } from './js/conv2d.js';
export { type JsConv2d, packConv2d } from './js/conv2d-weights.js';
export type { Conv2dEpilogue, Conv2dScratch } from './js/epilogue.js';
export * from './js/gather.js';
export { jsKernels } from './js/js-kernels.js';
export * from './js/lrn.js';
export * from './js/max-pool.js';
export * from './js/mean-pool.js';
export * from './js/normalize.js';
export * from './js/permute.js';
export * from './js/prelu.js';
export * from './js/reduce.js';
export * from './js/repeat.js';
export * from './js/resize.js';
export * from './js/softmax.js';
export * from './js/unary.js';
export { type LayerWeights, layerWeights } from './layer-weights.js';
export { type PoolParameters, type PoolShape, poolShape } from './pool-shape.js';
export { PRECISIONS, type Precision, valueOfHalf, WEIGHT_BYTES } from './precision.js';
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
export * from './step.js';
