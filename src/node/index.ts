/** `fastcam/node`: picture files in, explanations and their pictures out. */

export { type Conversion, type ConvertOptions, convertModel } from './convert.js';
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
export { outputFolders } from './output-names.js';
export type { Report, ScaleStatistics } from './report.js';
export type { LayerLoss } from './weight-loss.js';
