/** `fastcam/node`: picture files in, explanations and their pictures out. */

export {
  type CalibrateOptions,
  Calibrator,
  type FittedCalibration,
  readCalibration,
  type ScaleConstants,
} from './calibrate.js';
export {
  type CostOfPart,
  type CostOfTap,
  type CostOptions,
  measureCost,
  type SaliencyCost,
} from './cost.js';
export { decodePicture, readPicture } from './decode.js';
export { encodePng } from './encode.js';
export {
  type ExplainedFile,
  type ExplainFileOptions,
  explainFile,
  explainTensorFile,
} from './explain-file.js';
export {
  bundledModel,
  type Model,
  type ModelOptions,
  openModel,
  readLabels,
} from './model-file.js';
export {
  type OrderAgreement,
  type OrderComparison,
  type OrderOptions,
  type OrderReport,
  orderFile,
} from './order.js';
export { outputFolders } from './output-names.js';
export type { Report, ReportedModel, ScaleStatistics } from './report.js';
