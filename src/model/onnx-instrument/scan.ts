/**
 * Finds what is needed to write into an ONNX file: its opset, the position of its graph, its nodes, and every
 * name in use. Only what is needed is decoded; weights are skipped.
 *
 * Source: onnx.proto of onnx/onnx, whose field numbers these are.
 */

import { FormatError } from '../../errors.js';
import { decodeUtf8 } from '../formats/utf8.js';
import { BYTES, type Field, FOUR_BYTES, fieldsOf, floatAt, type Range, varintsOf } from './wire.js';

export const MODEL = { graph: 7, opsetImport: 8, functions: 25 } as const;
export const OPSET = { domain: 1, version: 2 } as const;
export const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, valueInfo: 13 } as const;
const SPARSE_INITIALIZER = 15;
export const NODE = { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7 } as const;
export const ATTRIBUTE = {
  name: 1,
  float: 2,
  int: 3,
  text: 4,
  tensor: 5,
  graph: 6,
  floats: 7,
  ints: 8,
  tensors: 10,
  graphs: 11,
  type: 20,
} as const;
export const TENSOR = {
  dims: 1,
  dataType: 2,
  floats: 4,
  name: 8,
  rawData: 9,
  external: 13,
} as const;
export const VALUE_INFO = { name: 1, type: 2 } as const;
/** Field numbers: a type's tensor; the tensor's element type and shape; the shape's dimensions; a dimension's value or name. */
export const TYPE = { tensor: 1, element: 1, shape: 2, dim: 1, value: 1, parameter: 2 } as const;

/** Types of elements. */
export const ELEMENT = { float: 1, int64: 7, float16: 10, double: 11, bfloat16: 16 } as const;
const FLOATS: readonly number[] = [
  ELEMENT.float,
  ELEMENT.float16,
  ELEMENT.double,
  ELEMENT.bfloat16,
];

/** Depth of graphs inside of nodes. No network needs more. */
const MAX_DEPTH = 16;

/** An attribute of a node, with its value if it is a number, numbers or a text. */
export interface Attribute {
  readonly int?: number;
  readonly float?: number;
  readonly ints: readonly number[];
  readonly floats: readonly number[];
  readonly text?: string;
}

export interface OnnxNode {
  readonly field: Field;
  readonly name: string;
  readonly opType: string;
  /** Empty for ONNX's own operators. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** By name: the field in the file. */
  readonly attributes: ReadonlyMap<string, Field>;
}

/** An input, as the file declares it. */
export interface DeclaredInput {
  /** Fixed extents are numbers > 0; dimensions with a name are Dimension messages; others are unknown. */
  readonly dims: readonly (number | Range | undefined)[];
}

export interface ScannedModel {
  readonly bytes: Uint8Array;
  readonly opset: number;
  /** Imports of ONNX's own operators. */
  readonly opsetFields: readonly Field[];
  readonly graphField: Field;
  readonly hasFunctions: boolean;
  readonly inputs: ReadonlyMap<string, DeclaredInput>;
  /** Names of the graph's values: inputs, initializers, outputs of nodes. */
  readonly values: ReadonlySet<string>;
  /** Types of the elements of values, if the file states them. */
  readonly types: ReadonlyMap<string, number>;
  /** Tensors by the names of initializers. */
  readonly initializers: ReadonlyMap<string, Range>;
  /** Constant nodes by the names of their values. */
  readonly constants: ReadonlyMap<string, OnnxNode>;
  /** Paths of other files with weights, as the file states them. */
  readonly externalFiles: ReadonlySet<string>;
  /** Types of floats that occur anywhere. */
  readonly floatTypes: ReadonlySet<number>;
  readonly nodes: readonly OnnxNode[];
  /** Nodes of the graphs inside of nodes. */
  readonly innerNodes: readonly OnnxNode[];
  /** Every name of a value or a node, of inner graphs too. */
  readonly names: ReadonlySet<string>;
}

/** @throws {FormatError} with a byte offset, or the name of the missing part */
export function scanModel(bytes: Uint8Array): ScannedModel {
  const opsetFields: Field[] = [];
  let opset = 0;
  let graphField: Field | undefined;
  let hasFunctions = false;
  for (const field of fieldsOf(bytes, { begin: 0, end: bytes.length })) {
    if (field.number === MODEL.functions) hasFunctions = true;
    if (field.type !== BYTES) continue;
    if (field.number === MODEL.graph) {
      if (graphField) throw new FormatError(`onnx: byte ${field.start} begins a second graph`);
      graphField = field;
    } else if (field.number === MODEL.opsetImport) {
      const { domain, version } = opsetOf(bytes, field);
      if (!isOwnDomain(domain)) continue;
      opsetFields.push(field);
      opset = Math.max(opset, version);
    }
  }
  if (!graphField) throw new FormatError('onnx: the file has no graph');
  if (opsetFields.length === 0) {
    throw new FormatError('onnx: the file does not say which opset of ONNX it uses');
  }
  const scan = new GraphScan(bytes);
  scan.graph(graphField, 0);
  return {
    ...{ bytes, opset, opsetFields, graphField, hasFunctions },
    inputs: scan.inputs,
    values: scan.values,
    types: scan.types,
    initializers: scan.initializers,
    constants: scan.constants,
    externalFiles: scan.externalFiles,
    floatTypes: scan.floatTypes,
    nodes: scan.nodes,
    innerNodes: scan.innerNodes,
    names: scan.names,
  };
}

/** ONNX's own operators have the domain '', or its name in full. */
export function isOwnDomain(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx';
}

function opsetOf(bytes: Uint8Array, range: Range): { domain: string; version: number } {
  let domain = '';
  let version = 0;
  for (const field of fieldsOf(bytes, range)) {
    if (field.number === OPSET.domain) domain = textOf(bytes, field);
    if (field.number === OPSET.version) version = field.value;
  }
  return { domain, version };
}

/** Collects information from a graph and the graphs inside of it. */
class GraphScan {
  readonly inputs: Map<string, DeclaredInput> = new Map();
  readonly values: Set<string> = new Set();
  readonly types: Map<string, number> = new Map();
  readonly initializers: Map<string, Range> = new Map();
  readonly constants: Map<string, OnnxNode> = new Map();
  readonly externalFiles: Set<string> = new Set();
  readonly floatTypes: Set<number> = new Set();
  readonly nodes: OnnxNode[] = [];
  readonly innerNodes: OnnxNode[] = [];
  readonly names: Set<string> = new Set();
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  graph(range: Range, depth: number): void {
    if (depth > MAX_DEPTH) {
      throw new FormatError(`onnx: byte ${range.begin} lies ${depth} graphs deep`);
    }
    for (const field of fieldsOf(this.#bytes, range)) {
      if (field.type !== BYTES) continue;
      if (field.number === GRAPH.node) this.#node(field, depth);
      else if (field.number === GRAPH.initializer) this.#tensor(field, depth);
      else if (field.number === SPARSE_INITIALIZER) this.#sparse(field, depth);
      else if (field.number === GRAPH.input) this.#valueInfo(field, depth, true);
      else if (field.number === GRAPH.output || field.number === GRAPH.valueInfo) {
        this.#valueInfo(field, depth, false);
      }
    }
  }

  #node(field: Field, depth: number): void {
    const node = readNode(this.#bytes, field);
    (depth === 0 ? this.nodes : this.innerNodes).push(node);
    this.names.add(node.name);
    for (const name of node.inputs) this.names.add(name);
    for (const name of node.outputs) {
      this.names.add(name);
      if (depth === 0) this.values.add(name);
      if (depth === 0 && node.opType === 'Constant') this.constants.set(name, node);
    }
    for (const [name, attribute] of node.attributes) {
      for (const part of fieldsOf(this.#bytes, attribute)) {
        const { tensor, tensors, graph, graphs, int } = ATTRIBUTE;
        if (part.number === int && name === 'to') this.#element(part.value);
        if (part.type !== BYTES) continue;
        if (part.number === tensor || part.number === tensors) this.#element(this.#type(part));
        if (part.number === graph || part.number === graphs) this.graph(part, depth + 1);
      }
    }
  }

  #tensor(field: Field, depth: number): void {
    let name = '';
    for (const part of fieldsOf(this.#bytes, field)) {
      if (part.type !== BYTES) continue;
      if (part.number === TENSOR.name) name = textOf(this.#bytes, part);
      if (part.number === TENSOR.external) this.#external(part);
    }
    const type = this.#type(field);
    this.names.add(name);
    this.#element(type);
    if (depth > 0) return;
    this.values.add(name);
    this.types.set(name, type);
    this.initializers.set(name, field);
  }

  /** The first field of a sparse tensor is the tensor of its values, which has its name. */
  #sparse(field: Field, depth: number): void {
    for (const part of fieldsOf(this.#bytes, field)) {
      if (part.number === 1 && part.type === BYTES) this.#tensor(part, depth);
    }
  }

  /** An entry of `external_data`, which says where a tensor's bytes are: a key and a value. */
  #external(entry: Field): void {
    const [key, value] = [1, 2].map((number) => {
      const field = [...fieldsOf(this.#bytes, entry)].find((part) => part.number === number);
      return field?.type === BYTES ? textOf(this.#bytes, field) : '';
    });
    if (key === 'location') this.externalFiles.add(value!);
  }

  #valueInfo(field: Field, depth: number, isInput: boolean): void {
    const bytes = this.#bytes;
    let name = '';
    let type: number | undefined;
    let dims: DeclaredInput['dims'] = [];
    for (const part of fieldsOf(bytes, field)) {
      if (part.type !== BYTES) continue;
      if (part.number === VALUE_INFO.name) name = textOf(bytes, part);
      if (part.number !== VALUE_INFO.type) continue;
      for (const tensor of fieldsOf(bytes, part)) {
        if (tensor.number !== TYPE.tensor || tensor.type !== BYTES) continue;
        for (const { number, ...rest } of fieldsOf(bytes, tensor)) {
          if (number === TYPE.element) type = rest.value;
          if (number !== TYPE.shape || rest.type !== BYTES) continue;
          dims = [...fieldsOf(bytes, rest)]
            .filter((dim) => dim.number === TYPE.dim && dim.type === BYTES)
            .map((dim) => dimOf(bytes, dim));
        }
      }
    }
    this.names.add(name);
    if (type !== undefined) this.#element(type);
    if (depth > 0) return;
    if (type !== undefined) this.types.set(name, type);
    if (!isInput) return;
    this.values.add(name);
    this.inputs.set(name, { dims });
  }

  /** The type of a tensor's elements. */
  #type(range: Range): number {
    let type = 0;
    for (const part of fieldsOf(this.#bytes, range)) {
      if (part.number === TENSOR.dataType) type = part.value;
    }
    return type;
  }

  #element(type: number): void {
    if (FLOATS.includes(type)) this.floatTypes.add(type);
  }
}

function dimOf(bytes: Uint8Array, range: Range): number | Range | undefined {
  let dim: number | Range | undefined;
  for (const { number, value } of fieldsOf(bytes, range)) {
    // Some exporters write 0 or −1 for any extent.
    if (number === TYPE.value) dim = value > 0 ? value : undefined;
    if (number === TYPE.parameter) dim = range;
  }
  return dim;
}

function readNode(bytes: Uint8Array, field: Field): OnnxNode {
  const texts = { name: '', opType: '', domain: '' };
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, Field>();
  for (const part of fieldsOf(bytes, field)) {
    if (part.type !== BYTES) continue;
    const { number } = part;
    if (number === NODE.input) inputs.push(textOf(bytes, part));
    else if (number === NODE.output) outputs.push(textOf(bytes, part));
    else if (number === NODE.name) texts.name = textOf(bytes, part);
    else if (number === NODE.opType) texts.opType = textOf(bytes, part);
    else if (number === NODE.domain) texts.domain = textOf(bytes, part);
    else if (number === NODE.attribute) attributes.set(attributeName(bytes, part), part);
  }
  return { field, ...texts, inputs, outputs, attributes };
}

function attributeName(bytes: Uint8Array, range: Range): string {
  for (const field of fieldsOf(bytes, range)) {
    if (field.number === ATTRIBUTE.name && field.type === BYTES) return textOf(bytes, field);
  }
  return '';
}

/** The attribute of a node by its name, decoded. */
export function attributeOf(
  bytes: Uint8Array,
  { attributes }: OnnxNode,
  name: string,
): Attribute | undefined {
  const range = attributes.get(name);
  if (!range) return undefined;
  const ints: number[] = [];
  const floats: number[] = [];
  let rest: Pick<Attribute, 'int' | 'float' | 'text'> = {};
  for (const field of fieldsOf(bytes, range)) {
    const { number, type, begin, end, value } = field;
    if (number === ATTRIBUTE.int) rest = { ...rest, int: value };
    else if (number === ATTRIBUTE.ints) for (const int of varintsOf(bytes, field)) ints.push(int);
    else if (number === ATTRIBUTE.float && type === FOUR_BYTES) {
      rest = { ...rest, float: floatAt(bytes, begin) };
    } else if (number === ATTRIBUTE.floats && (type === FOUR_BYTES || type === BYTES)) {
      for (let at = begin; at + 4 <= end; at += 4) floats.push(floatAt(bytes, at));
    } else if (number === ATTRIBUTE.text && type === BYTES) {
      rest = { ...rest, text: textOf(bytes, field) };
    }
  }
  return { ...rest, ints, floats };
}

/** The first float32 values of a tensor, if they are in the file itself. @param most how many */
export function tensorFloats(bytes: Uint8Array, tensor: Range, most: number): number[] {
  const floats: number[] = [];
  for (const { number, type, begin, end } of fieldsOf(bytes, tensor)) {
    if (number !== TENSOR.rawData && number !== TENSOR.floats) continue;
    if (type !== BYTES && type !== FOUR_BYTES) continue;
    for (let at = begin; at + 4 <= end && floats.length < most; at += 4) {
      floats.push(floatAt(bytes, at));
    }
  }
  return floats;
}

function textOf(bytes: Uint8Array, { begin, end }: Range): string {
  return decodeUtf8(bytes.subarray(begin, end));
}
