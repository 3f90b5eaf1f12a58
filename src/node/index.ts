/** `fastcam/node`: takes picture files, gives explanations and their pictures. */

export { kendallTau, sameMaximum, spearmanRho, topOverlap } from '../evaluate/map-order.js';
export type { AttributionOptions, ReportedAttribution } from './attribution.js';
export { cacheFolder } from './cache.js';
export {
  type CalibrateOptions,
  Calibrator,
  type FittedCalibration,
  readCalibration,
  type ScaleConstants,
} from './calibrate.js';
export { type ComparedFile, type CompareOptions, compareFile } from './compare.js';
export type { ComparedResult, Comparison, MethodCost } from './comparison.js';
export { type Conversion, type ConvertOptions, convertModel } from './convert.js';
export { FetchError } from './download.js';
export type { PictureFormat } from './drawing/encode.js';
export type { PictureKind } from './drawing/picture-kinds.js';
export { encodePng } from './drawing/png.js';
export { type EvaluateOptions, evaluateFolder } from './evaluate/evaluate-folder.js';
export type { EvaluatedResult, Evaluation, PictureScores } from './evaluate/evaluation.js';
export type { PictureRecord } from './evaluate/picture.js';
export {
  type DrawnFile,
  type DrawOptions,
  type ExplainedFile,
  type ExplainFileOptions,
  explainFile,
  explainTensorFile,
} from './explain-file.js';
export { type ExplainManyOptions, explainMany, type Outcome } from './explain-many.js';
export {
  type FetchedModel,
  type FetchOptions,
  fetchModel,
  type Verification,
} from './fetch-model.js';
export { findInputs, type Input, outputFolders } from './inputs.js';
export {
  type InspectedValue,
  type Inspection,
  type InspectOptions,
  inspectModel,
} from './inspect.js';
export { KNOWN_MODELS, type KnownModel } from './known-models.js';
export {
  type Box,
  type LabelledOptions,
  type LabelledPicture,
  labelledPictures,
} from './labelled-pictures.js';
export { readLabels } from './labels.js';
export {
  type CostOfPart,
  type CostOfTap,
  type CostOptions,
  measureCost,
  type SaliencyCost,
} from './measured-cost.js';
export { type Memory, memoryOf } from './memory.js';
export {
  type BackwardCost,
  type MethodOverhead,
  type MethodsCost,
  measureMethods,
} from './method-cost.js';
export {
  bundledModel,
  type Model,
  type ModelOptions,
  openModel,
} from './model-file.js';
export {
  type CachedFile,
  fitNetworks,
  type ListedModel,
  listModels,
  type MemoryFit,
  type ModelList,
  type NetworkFit,
} from './model-list.js';
export { NormalizerFit } from './normalizer-fit.js';
export {
  type OrderAgreement,
  type OrderComparison,
  type OrderOptions,
  type OrderReport,
  orderFile,
} from './order.js';
export { decodePicture, readPicture } from './pictures/decode.js';
export type { DecodedPicture, DecodeOptions } from './pictures/format.js';
export { TooManyPixelsError } from './pictures/header.js';
export {
  makePool,
  type Pool,
  PoolBusyError,
  type PoolExplainOptions,
  type PoolOptions,
  type PoolResult,
} from './pool.js';
export {
  type Checkpoint,
  type CheckpointArchive,
  chooseDictionary,
  readArchive,
  readLegacy,
  readTar,
} from './pytorch/index.js';
export type { FileBytes } from './read-ahead.js';
export type { Report, ReportedModel, ReportedTiles, ScaleStatistics } from './report.js';
export { safetensorsHeader, writeSafetensors } from './safetensors-writer.js';
export type { StepText } from './step-text.js';
export { type ExplainLargeOptions, explainLargeFile } from './tiles/explain-large-file.js';
export type { LayerLoss } from './weight-loss.js';
