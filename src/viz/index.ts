/**
 * Maps → pictures. In reading order: normalise each scale's map, upsample and combine them, show
 * the scales by colour (LOVI), the combined map by a colour map, over the picture, or as a mask.
 */

export {
  checkPicture,
  createPicture,
  type DrawnPicture,
  type Picture,
  type Region,
} from '../image/index.js';
export { type Colormap, colorAt, colorize } from './colormap.js';
export {
  checkCombination,
  combineMaps,
  resolveScaleWeights,
  SCALE_WEIGHTS,
  type ScaleWeights,
  sumUpsampled,
} from './combine.js';
export { type HeatMapOptions, heatMap, heatMapColors } from './heat-map.js';
export { lovi, loviColors, loviLegend } from './lovi.js';
export { keepMask, keptCount } from './mask.js';
export { type FlatArray, type NdArray, type SaliencyMap, toNdArray } from './ndarray.js';
export {
  type MapValues,
  NORMALIZERS,
  type Normalize,
  type Normalizer,
  normalizeGamma,
  normalizeGammaReference,
  normalizeGaussian,
  normalizeIdentity,
  normalizeRange,
} from './normalize.js';
export {
  checkNormalizerConstants,
  type GammaConstants,
  type GaussianConstants,
  type NormalizerConstants,
  type RangeConstants,
} from './normalizer-constants.js';
export { hardMask, type OverlayOptions, overlay, softMask } from './overlay.js';
export { differenceScore, informationScore, type MaskAccuracies } from './scores.js';
export { upsampleBilinear, upsampleBilinearReference } from './upsample.js';
