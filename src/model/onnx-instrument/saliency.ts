/** Writes the nodes that compute all outputs from the values of the file. */

import {
  channelAxis,
  pixelAxes,
  writeClassActivation,
  writeCombination,
  writeGaussian,
} from './maps.js';
import type { NodeWriter } from './node-writer.js';
import type { InstrumentHead, InstrumentOptions, InstrumentTarget, WritePlan } from './plan.js';
import { ELEMENT, type ScannedModel } from './scan.js';
import { writeStatistic } from './statistics.js';

/** Writes the nodes of all outputs. */
export function writeMaps(
  w: NodeWriter,
  model: ScannedModel,
  target: InstrumentTarget,
  options: InstrumentOptions,
  plan: WritePlan,
): void {
  const { names, cam } = plan;
  const isFloat = [...model.floatTypes].every((type) => type === ELEMENT.float);
  const converted = new Map<string, string>();
  const float = (x: string): string => {
    if (isFloat) return x;
    const y = converted.get(x) ?? w.toFloat(x);
    converted.set(x, y);
    return y;
  };
  const scales = target.taps.map(({ name, layout, nonNegative }, i) => {
    const x = nonNegative ? float(name) : w.node('Relu', [float(name)]);
    const phi = writeStatistic(w, x, channelAxis(layout), options.statistic ?? 'smoe');
    return writeGaussian(w, phi, names.scales[i]!);
  });
  const sizes = writeSizes(w, target, plan);
  const saliency = writeCombination(w, scales, plan.shares, sizes, names.saliency);
  if (cam === 'none') return;
  const head = target.head!;
  const classes = plan.classInput ? names.class : writeTopClass(w, float(target.logits));
  const map = writeClassActivation(
    w,
    {
      features: float(head.features),
      layout: head.layout,
      row: writeClassRow(w, head, classes, float),
      method: cam,
      sizes,
    },
    names.cam,
  );
  w.node('Mul', [saliency, map], {}, names.fastcam);
}

/** The class with the largest logit, int64 [N]; the first of equals. */
function writeTopClass(w: NodeWriter, logits: string): string {
  const rows = w.node('Flatten', [logits], { axis: 1 });
  return w.node('ArgMax', [rows], { axis: 1, keepdims: 0 });
}

/** The rows of the classifier for the class of each picture, float32 of N·C values. */
function writeClassRow(
  w: NodeWriter,
  { features, layout, weight, transposed }: InstrumentHead,
  classes: string,
  float: (x: string) => string,
): string {
  if (weight === undefined) {
    const depth = w.node('Gather', [w.node('Shape', [features]), w.int(channelAxis(layout))]);
    return w.node('OneHot', [classes, depth, w.floats([0, 1])]);
  }
  const rows = w.node('Gather', [weight, classes], { axis: transposed ? 1 : 0 });
  return float(transposed ? w.node('Transpose', [rows], { perm: [1, 0] }) : rows);
}

/** Int64 [N, 1, H, W]: constant if the file or an option fixes the size, else that of the input. */
function writeSizes(
  w: NodeWriter,
  { input, inputLayout }: InstrumentTarget,
  { dims: [N], size }: WritePlan,
): string {
  if (typeof N === 'number' && size) return w.ints([N, 1, ...size]);
  const shape = w.node('Shape', [input]);
  const pictures = typeof N === 'number' ? w.ints([N]) : w.node('Gather', [shape, w.ints([0])]);
  const pixels = size ? w.ints(size) : w.node('Gather', [shape, w.ints(pixelAxes(inputLayout))]);
  return w.node('Concat', [pictures, w.ints([1]), pixels], { axis: 0 });
}
