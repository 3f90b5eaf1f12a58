/**
 * `fastcam/instrument`: writes saliency into an ONNX file, so that any ONNX runtime gives logits and maps from one
 * run: `instrumentedModel(bytes, instrumentTarget(bytes, name))`. No Node module: pages have it, too.
 */

export { instrumentTarget } from './model/onnx/target.js';
export * from './model/onnx-instrument/index.js';
