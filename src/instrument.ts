/**
 * `fastcam/instrument`: adds saliency to an ONNX file, so that any ONNX runtime gives logits and maps in one
 * run: `instrumentedModel(bytes, instrumentTarget(bytes, name))`. It uses no Node module, so it also runs in pages.
 */

export { instrumentTarget } from './model/onnx/target.js';
export * from './model/onnx-instrument/index.js';
