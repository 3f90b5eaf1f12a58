/**
 * Raises nodes of opsets 7 to 10 to opset 11, the first whose Resize has half-pixel centres. Only the
 * operators below changed their form or meaning between them (ONNX's own list of schemas, compared one by
 * one). Any other node means the same in opset 11, and keeps its bytes.
 *
 *   since   operator             change
 *    9      BatchNormalization   spatial = 1 is removed, because it is now always so
 *    9      Scan                 has no batch axis any more: refused
 *   10      Slice                starts, ends, axes: attributes → inputs
 *   10      TopK                 k: attribute → input
 *   11      Upsample             Resize, asymmetric and rounding down, with scales as an input
 *   11      Resize               asymmetric, rounding down where it enlarges and up where it shrinks, as ONNX's
 *                                own tests of opset 10 do
 *   11      Clip                 min, max: attributes → inputs
 *   11      Pad                  pads, value: attributes → inputs
 *   11      Scatter              ScatterElements
 *
 * Source: docs/Changelog.md of onnx/onnx.
 */

import { FormatError } from '../../errors.js';
import { type AttributeValue, attribute, NodeWriter } from './node-writer.js';
import {
  ATTRIBUTE,
  attributeOf,
  ELEMENT,
  isOwnDomain,
  NODE,
  type OnnxNode,
  type ScannedModel,
  tensorFloats,
} from './scan.js';
import { BYTES, fieldsOf, Message } from './wire.js';

/** Files of older opsets are raised to this opset. */
export const RAISED_OPSET = 11;

/** No value has more axes, so there are no more scales. */
const MAX_RANK = 16;

/** The changes in a node. */
interface Change {
  readonly opType?: string;
  readonly inputs: readonly string[];
  /** Attributes that are removed. */
  readonly without: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

/** A node, and everything that is needed to change it. */
interface Old {
  readonly model: ScannedModel;
  readonly node: OnnxNode;
  readonly writer: NodeWriter;
}

/** For each operator: the opset that changed its form, and a function that returns the change, or nothing if none is needed. */
const CHANGES: Readonly<
  Record<string, { since: number; change: (old: Old) => Change | undefined }>
> = {
  BatchNormalization: { since: 9, change: batchNormalization },
  Scan: {
    since: 9,
    change: ({ node, model }) => refuse(node, model, 'has another batch axis now'),
  },
  Slice: { since: 10, change: slice },
  TopK: { since: 10, change: topK },
  Upsample: { since: 11, change: upsample },
  Resize: { since: 11, change: resize },
  Clip: { since: 11, change: clip },
  Pad: { since: 11, change: pad },
  Scatter: {
    since: 11,
    change: ({ node: { inputs } }) => ({ opType: 'ScatterElements', inputs, without: [] }),
  },
};

/**
 * The nodes of a file that differ in opset 11, each with its replacement: constants, then the node. Attributes
 * and fields that do not change are copied.
 *
 * @param prefix of new names
 * @throws {FormatError} with operator, node and opset, for a node that opset 11 cannot express
 */
export function raisedNodes(
  model: ScannedModel,
  prefix: string,
): Map<OnnxNode, readonly Message[]> {
  const raised = new Map<OnnxNode, readonly Message[]>();
  if (model.hasFunctions) {
    throw new FormatError(
      `onnx: a file of opset ${model.opset} with functions of its own cannot be raised to opset ${RAISED_OPSET}: export it anew`,
    );
  }
  for (const node of model.innerNodes) {
    if (changeOf(model, node, new NodeWriter(RAISED_OPSET, prefix))) {
      refuse(node, model, 'in a graph inside of a node is not raised');
    }
  }
  for (const node of model.nodes) {
    const writer = new NodeWriter(RAISED_OPSET, `${prefix}raised_${raised.size}/`);
    const change = changeOf(model, node, writer);
    if (change) raised.set(node, [...writer.nodes, changed(model.bytes, node, change)]);
  }
  return raised;
}

function changeOf(model: ScannedModel, node: OnnxNode, writer: NodeWriter): Change | undefined {
  if (!isOwnDomain(node.domain) || !Object.hasOwn(CHANGES, node.opType)) return undefined;
  const { since, change } = CHANGES[node.opType]!;
  return model.opset < since ? change({ model, node, writer }) : undefined;
}

/** The node with its change. Unknown fields are kept, too. */
function changed(bytes: Uint8Array, node: OnnxNode, change: Change): Message {
  const { opType = node.opType, inputs, without, attributes = {} } = change;
  const dropped = new Set(
    [...node.attributes].flatMap(([name, { start }]) => (without.includes(name) ? [start] : [])),
  );
  const message = new Message();
  for (const name of inputs) message.text(NODE.input, name);
  for (const { number, start, end } of fieldsOf(bytes, node.field)) {
    if (number === NODE.input || number === NODE.opType || dropped.has(start)) continue;
    message.raw(bytes.subarray(start, end));
  }
  message.text(NODE.opType, opType);
  for (const [name, value] of Object.entries(attributes)) {
    message.message(NODE.attribute, attribute(name, value));
  }
  return message;
}

function batchNormalization({ model, node }: Old): Change | undefined {
  const spatial = attributeOf(model.bytes, node, 'spatial');
  if (!spatial) return undefined;
  if (spatial.int === 0) refuse(node, model, 'with spatial = 0 is gone');
  return { inputs: node.inputs, without: ['spatial'] };
}

function slice({ model: { bytes }, node, writer }: Old): Change {
  const [starts, ends] = ['starts', 'ends'].map(
    (name) => attributeOf(bytes, node, name)?.ints ?? [],
  );
  const axes = attributeOf(bytes, node, 'axes')?.ints ?? starts!.map((_, i) => i);
  const constants = [starts!, ends!, axes].map((values) => writer.ints(values));
  return { inputs: [node.inputs[0] ?? '', ...constants], without: ['starts', 'ends', 'axes'] };
}

function topK({ model, node, writer }: Old): Change {
  const { int } = attributeOf(model.bytes, node, 'k') ?? {};
  if (int === undefined) refuse(node, model, 'has no k');
  return { inputs: [node.inputs[0] ?? '', writer.ints([int])], without: ['k'] };
}

/** Upsample's scales are an attribute in opset 7, and an input from opset 9. */
function upsample(old: Old): Change {
  const { model, node, writer } = old;
  const { floats } = attributeOf(model.bytes, node, 'scales') ?? { floats: [] };
  const scales = floats.length > 0 ? writer.floats(floats) : node.inputs[1];
  if (scales === undefined) refuse(node, model, 'has no scales');
  return asResize(old, scales, 'floor');
}

function resize(old: Old): Change {
  const { model, node } = old;
  const scales = node.inputs[1];
  if (scales === undefined) return refuse(node, model, 'has no scales');
  // Computed scales are assumed to enlarge.
  const known = constantFloats(model, scales);
  const shrinks = known.some((scale) => scale < 1);
  if (shrinks && known.some((scale) => scale > 1)) {
    refuse(node, model, 'enlarges one side and shrinks another, which rounds in one way only');
  }
  return asResize(old, scales, shrinks ? 'ceil' : 'floor');
}

/** The values, if the name is that of an initializer or a Constant. */
function constantFloats({ bytes, initializers, constants }: ScannedModel, name: string): number[] {
  const tensor = initializers.get(name);
  if (tensor) return tensorFloats(bytes, tensor, MAX_RANK);
  const value = constants.get(name)?.attributes.get('value');
  if (!value) return [];
  return [...fieldsOf(bytes, value)].flatMap((field) =>
    field.number === ATTRIBUTE.tensor && field.type === BYTES
      ? tensorFloats(bytes, field, MAX_RANK)
      : [],
  );
}

/** Resize of opset 11, with attributes for the old behaviour of Resize and Upsample. The mode stays; default `nearest`. */
function asResize({ node, writer }: Old, scales: string, rounding: 'floor' | 'ceil'): Change {
  return {
    opType: 'Resize',
    inputs: [node.inputs[0] ?? '', writer.floats([]), scales],
    without: ['scales'],
    attributes: { coordinate_transformation_mode: 'asymmetric', nearest_mode: rounding },
  };
}

function clip(old: Old): Change | undefined {
  const { model, node } = old;
  if (!node.attributes.has('min') && !node.attributes.has('max')) return undefined;
  const bounds = ['min', 'max'].map((name) => {
    const { float } = attributeOf(model.bytes, node, name) ?? {};
    return float === undefined ? '' : typed(old, float);
  });
  const inputs = bounds[1] === '' ? bounds.slice(0, 1) : bounds;
  return { inputs: [node.inputs[0] ?? '', ...inputs], without: ['min', 'max'] };
}

function pad(old: Old): Change {
  const { model, node, writer } = old;
  const pads = writer.ints(attributeOf(model.bytes, node, 'pads')?.ints ?? []);
  const value = attributeOf(model.bytes, node, 'value')?.float ?? 0;
  const inputs = [node.inputs[0] ?? '', pads, ...(value === 0 ? [] : [typed(old, value)])];
  return { inputs, without: ['pads', 'value'] };
}

/** A constant scalar of the type of the node's first input. */
function typed({ model, node, writer }: Old, value: number): string {
  const type = typeOf(model, node);
  const constant = writer.float(value);
  return type === ELEMENT.float ? constant : writer.node('Cast', [constant], { to: type });
}

/** If the file does not state the type, but has only one type of floats, it is that type. */
function typeOf(model: ScannedModel, node: OnnxNode): number {
  const type = model.types.get(node.inputs[0] ?? '') ?? model.types.get(node.outputs[0] ?? '');
  if (type !== undefined) return type;
  const [only, another] = model.floatTypes;
  if (another === undefined) return only ?? ELEMENT.float;
  return refuse(node, model, 'has floats of a type that the file does not tell');
}

function refuse({ opType, name, outputs }: OnnxNode, { opset }: ScannedModel, why: string): never {
  throw new FormatError(
    `onnx: ${opType} ${name || outputs[0]} of opset ${opset} ${why} in opset ${RAISED_OPSET}: export the network with opset 11 or later`,
  );
}
