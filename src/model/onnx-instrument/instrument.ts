/**
 * Writes saliency into an ONNX file, in ONNX's own operators. Then any runtime gives logits and maps in one run.
 * Nodes and outputs are appended to the graph, and an input if the class can be chosen. Everything else keeps its
 * bytes, even unknown fields. A file below opset 11 is raised to opset 11 (raise.ts).
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

/** A file with saliency, and what was added to it. */
export interface InstrumentedModel {
  readonly bytes: Uint8Array;
  /** Names of outputs. If the file already has such a name, a number is added to it. */
  readonly outputs: {
    readonly saliency: string;
    readonly scales: readonly string[];
    readonly cam?: string;
    readonly fastcam?: string;
  };
  /** The input that chooses the class. */
  readonly classInput?: string;
  readonly cam: OnnxCamMethod | 'none';
  /** Opset of the file before and after. */
  readonly opset: { readonly before: number; readonly after: number };
  /** Paths of other files with weights, as the file states them. They stay, so keep the new file in the same folder. */
  readonly externalFiles: readonly string[];
  /** Operators whose nodes were rewritten for the new opset, and how many nodes. */
  readonly rewritten: Readonly<Record<string, number>>;
}

/**
 * Writes saliency into an ONNX file.
 *
 * @param bytes a ModelProto; it is not changed
 * @returns a new file with the outputs `saliency` [N, H, W], `scale_0` … [N, h, w] and, if the
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

/** Like `instrumentOnnx`, but also returns the names of what was added. */
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
