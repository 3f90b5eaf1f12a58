/** Puts a file together: the old bytes, which stay, and what is added to the graph. */

import type { NodeWriter } from './node-writer.js';
import type { WritePlan } from './plan.js';
import {
  ELEMENT,
  GRAPH,
  MODEL,
  type OnnxNode,
  OPSET,
  type ScannedModel,
  TYPE,
  VALUE_INFO,
} from './scan.js';
import { fieldsOf, Message, type Range } from './wire.js';

/** The file with the additions. Bytes that do not change are copied. */
export function assemble(
  model: ScannedModel,
  raised: ReadonlyMap<OnnxNode, readonly Message[]>,
  writer: NodeWriter,
  plan: WritePlan,
): Uint8Array {
  const { bytes, graphField } = model;
  const { opset } = writer;
  const graph = new Message();
  let at = graphField.begin;
  for (const [{ field }, nodes] of raised) {
    graph.raw(bytes.subarray(at, field.start));
    for (const node of nodes) graph.message(GRAPH.node, node);
    at = field.end;
  }
  graph.raw(bytes.subarray(at, graphField.end));
  for (const node of writer.nodes) graph.message(GRAPH.node, node);
  if (plan.classInput) {
    graph.message(
      GRAPH.input,
      valueInfo(plan.names.class, ELEMENT.int64, plan.dims.slice(0, 1), bytes),
    );
  }
  const output = (name: string, dims: WritePlan['dims']): void => {
    graph.message(GRAPH.output, valueInfo(name, ELEMENT.float, dims, bytes));
  };
  output(plan.names.saliency, plan.dims);
  for (const name of plan.names.scales) output(name, [plan.dims[0], undefined, undefined]);
  if (plan.cam !== 'none') {
    output(plan.names.cam, plan.dims);
    output(plan.names.fastcam, plan.dims);
  }

  const out = new Message();
  at = 0;
  const changed = opset === model.opset ? [graphField] : [graphField, ...model.opsetFields];
  for (const field of changed.sort((a, b) => a.start - b.start)) {
    out.raw(bytes.subarray(at, field.start));
    if (field === graphField) out.message(MODEL.graph, graph);
    else out.message(MODEL.opsetImport, opsetImport(bytes, field, opset));
    at = field.end;
  }
  return out.raw(bytes.subarray(at)).finish();
}

/** The same opset import with another version. */
function opsetImport(bytes: Uint8Array, range: Range, opset: number): Message {
  const message = new Message();
  for (const { number, start, end } of fieldsOf(bytes, range)) {
    if (number !== OPSET.version) message.raw(bytes.subarray(start, end));
  }
  return message.int(OPSET.version, opset);
}

/** A value's name, type and shape; unknown dimensions are left open. */
function valueInfo(
  name: string,
  element: number,
  dims: WritePlan['dims'],
  bytes: Uint8Array,
): Message {
  const shape = new Message();
  for (const dim of dims) {
    if (typeof dim === 'number') shape.message(TYPE.dim, new Message().int(TYPE.value, dim));
    else if (dim) shape.bytes(TYPE.dim, bytes.subarray(dim.begin, dim.end));
    else shape.message(TYPE.dim, new Message());
  }
  const tensor = new Message().int(TYPE.element, element).message(TYPE.shape, shape);
  const type = new Message().message(TYPE.tensor, tensor);
  return new Message().text(VALUE_INFO.name, name).message(VALUE_INFO.type, type);
}
