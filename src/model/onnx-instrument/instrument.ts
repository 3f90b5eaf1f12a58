/**
 * Writes saliency into an ONNX file, in ONNX's own operators: any runtime then gives logits and maps from one
 * run. Nodes, outputs and, for a class that is chosen, an input are appended to the graph; all else keeps its
 * bytes, unknown fields too. A file below opset 11 is raised to it (raise.ts).
 *
 *   tap ─ statistic ─▶ φ ─ Gaussian ─▶ scale_i ─ enlarge, weigh, add ─▶ saliency ─┐
 *   logits ─ ArgMax ─▶ class ─ row of the classifier ─▶ a_k ─ Σ a_k A_k ─▶ cam ────┴─▶ fastcam
 */

import { assemble } from './assemble.js';
import type { OnnxCamMethod } from './maps.js';
import { NodeWriter } from './node-writer.js';
import { type InstrumentOptions, type InstrumentTarget, planOf } from './plan.js';
import { RAISED_OPSET, raisedNodes } from './raise.js';
import { writeMaps } from './saliency.js';
import { type OnnxNode, scanModel } from './scan.js';
import type { Message } from './wire.js';

/** A file with saliency in it, and what it was given. */
export interface InstrumentedModel {
  readonly bytes: Uint8Array;
  /** Names of outputs: as here, or with a number behind where the file has such a name. */
  readonly outputs: {
    readonly saliency: string;
    readonly scales: readonly string[];
    readonly cam?: string;
    readonly fastcam?: string;
  };
  /** The input that chooses the class. */
  readonly classInput?: string;
  readonly cam: OnnxCamMethod | 'none';
  /** Of the file, and of what was made of it. */
  readonly opset: { readonly before: number; readonly after: number };
  /** Paths of files that hold weights, as the file has them: they stay, so that it must lie beside them. */
  readonly externalFiles: readonly string[];
  /** Operators whose nodes were rewritten for the new opset, with how many each. */
  readonly rewritten: Readonly<Record<string, number>>;
}

/**
 * Writes saliency into an ONNX file.
 *
 * @param bytes a ModelProto; it is not changed
 * @returns a file of its own with the outputs `saliency` [N, H, W], `scale_0` … [N, h, w] and, where the
 *   classifier is linear, `cam` and `fastcam` [N, H, W], all float32
 * @throws {FormatError} with the byte offset, the operator or the name, for a file that cannot be read or
 *   raised to opset 11
 * @throws {ShapeError} for an option or a name that does not fit the file
 */
export function instrumentOnnx(
  bytes: Uint8Array,
  target: InstrumentTarget,
  options: InstrumentOptions = {},
): Uint8Array {
  return instrumentedModel(bytes, target, options).bytes;
}

/** As `instrumentOnnx`, with names of what was added. */
export function instrumentedModel(
  bytes: Uint8Array,
  target: InstrumentTarget,
  options: InstrumentOptions = {},
): InstrumentedModel {
  const model = scanModel(bytes);
  const plan = planOf(model, target, options);
  const opset = Math.max(model.opset, RAISED_OPSET);
  const raised: ReadonlyMap<OnnxNode, readonly Message[]> =
    opset === model.opset ? new Map() : raisedNodes(model, plan.prefix);
  const writer = new NodeWriter(opset, plan.prefix);
  writeMaps(writer, model, target, options, plan);
  const { cam, fastcam, saliency, scales } = plan.names;
  return {
    bytes: assemble(model, raised, writer, plan),
    outputs: { saliency, scales, ...(plan.cam !== 'none' && { cam, fastcam }) },
    ...(plan.classInput && { classInput: plan.names.class }),
    cam: plan.cam,
    opset: { before: model.opset, after: opset },
    externalFiles: [...model.externalFiles],
    rewritten: countByType(raised.keys()),
  };
}

function countByType(nodes: Iterable<OnnxNode>): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { opType } of nodes) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  return Object.fromEntries(counts);
}
