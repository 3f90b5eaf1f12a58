/** Saliency inside ONNX files. It needs no package and no Node module, so it also works in pages. */

export { type InstrumentedModel, instrumentedModel, instrumentOnnx } from './instrument.js';
export type { Layout, OnnxCamMethod } from './maps.js';
export type {
  InstrumentHead,
  InstrumentOptions,
  InstrumentTap,
  InstrumentTarget,
} from './plan.js';
export { ONNX_STATISTICS } from './statistics.js';
