/** `fastcam/evaluate`: how good a map is. Measures that need no training, and rankings of methods. */

export { type ConfidenceChange, confidenceChange } from './average-drop.js';
export { ClassProbe, type ClassScore } from './class-probe.js';
export { linearImputation } from './linear-imputation.js';
export { boxOnMap, type Localization, localization, type MapBox } from './localization.js';
export {
  kendallTau,
  type OrderTable,
  orderTable,
  pixelOrder,
  sameMaximum,
  spearmanRho,
  topOverlap,
} from './map-order.js';
export {
  EVALUATED_METHODS,
  type EvaluatedMethod,
  type MapOptions,
  methodMap,
} from './method-maps.js';
export {
  AGREEMENT_TOP,
  type Agreement,
  agreementOf,
  DEFAULT_SHARES,
  DEFAULT_STEPS,
  type MadeMap,
  type MapMeasures,
  METRICS,
  type MeasureOptions,
  type Metric,
  makeMaps,
  mapMeasures,
  POINTING_TOLERANCE,
  ROAD_NOISE,
} from './picture-measures.js';
export {
  areaUnder,
  type CurveEnds,
  deletionEnds,
  insertionEnds,
  type PixelCurve,
  pixelCurve,
} from './pixel-curve.js';
export { type RandomizedDepth, randomizedDepths, randomizedNetwork } from './randomization.js';
export { type Road, type RoadOptions, road, withoutPixels } from './road.js';
export { type Mean, meanOf, meansOf } from './summary.js';
export { unitMap } from './unit-map.js';
