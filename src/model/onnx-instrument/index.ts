/** Saliency inside ONNX files. No package and no Node module: pages have it, too. */

export { type InstrumentedModel, instrumentedModel, instrumentOnnx } from './instrument.js';
export type { Layout, OnnxCamMethod } from './maps.js';
export type {
  InstrumentHead,
  InstrumentOptions,
  InstrumentTap,
  InstrumentTarget,
} from './plan.js';
export { ONNX_STATISTICS } from './statistics.js';
