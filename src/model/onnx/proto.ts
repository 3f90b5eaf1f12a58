/**
 * The messages of an ONNX file (onnx.proto3) as plain objects, with the needed fields of ModelProto, GraphProto,
 * NodeProto, AttributeProto, TensorProto and ValueInfoProto. Elements of tensors are left in the file's bytes.
 *
 * A length is accepted only if the bytes are there. The number of items in a list is limited, because an empty
 * message takes two bytes in the file, but a hundred in memory.
 */

import { PbfReader } from 'pbf';
import { FormatError } from '../../errors.js';
import { joinedBytes } from '../formats/joined-bytes.js';
import { decodeUtf8 } from '../formats/utf8.js';

export interface OnnxModel {
  /** The program that wrote the file, as the file states it. */
  readonly producer: string;
  /** Version of each set of operators, by its domain; ONNX's own domain is ''. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: OnnxGraph;
  readonly metadata: ReadonlyMap<string, string>;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  /** Initializers may be among them. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

export interface OnnxNode {
  readonly op: string;
  readonly domain: string;
  readonly name: string;
  /** '' stands for an input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

export interface OnnxAttribute {
  readonly f?: number;
  readonly i?: number;
  readonly s?: string;
  readonly t?: OnnxTensor;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
}

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  /** Number of TensorProto.DataType. */
  readonly type: number;
  /** Little-endian elements: `raw_data`, or a packed list of floats or doubles. */
  readonly raw?: Uint8Array;
  /** Elements of the other lists: `int32_data` (which holds float16 as well), `int64_data`, `uint64_data`. */
  readonly numbers: readonly number[];
  /** Where the elements are in another file. */
  readonly external?: ReadonlyMap<string, string>;
}

export interface OnnxValue {
  readonly name: string;
  /** Number of TensorProto.DataType; 0 if it is not stated, or not a tensor. */
  readonly type: number;
  /** `undefined` for a size that is not fixed; no list if the file states nothing. */
  readonly dims?: readonly (number | undefined)[];
}

/** The longest list of items, and of numbers that are not stored as bytes. No network needs longer ones. */
const MOST_LISTED = 2 ** 17;
const MOST_NUMBERS = 2 ** 24;

/** @throws {FormatError} with the byte offset, without the file's name */
export function parseOnnx(bytes: Uint8Array): OnnxModel {
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  let producer = '';
  let graph: OnnxGraph | undefined;
  readFields(new Message(bytes, 0), (m, field) => {
    if (field === 2) producer = m.text();
    else if (field === 7) graph = readGraph(m.message());
    else if (field === 8) readOpset(m.message(), opsets);
    else if (field === 14) readEntry(m.message(), metadata);
  });
  if (!graph) throw new FormatError('an ONNX model without a graph');
  return { producer, opsets, graph, metadata };
}

function readGraph(message: Message): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  readFields(message, (m, field) => {
    if (field === 1) push(nodes, readNode(m.message()));
    else if (field === 5) push(initializers, readTensor(m.message()));
    else if (field === 11) push(inputs, readValue(m.message()));
    else if (field === 12) push(outputs, readValue(m.message()));
  });
  return { nodes, initializers, inputs, outputs };
}

function readNode(message: Message): OnnxNode {
  const node = { op: '', domain: '', name: '' };
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  readFields(message, (m, field) => {
    if (field === 1) push(inputs, m.text());
    else if (field === 2) push(outputs, m.text());
    else if (field === 3) node.name = m.text();
    else if (field === 4) node.op = m.text();
    else if (field === 5) readAttribute(m.message(), attributes);
    else if (field === 7) node.domain = domainOf(m.text());
  });
  return { ...node, inputs, outputs, attributes };
}

/** ONNX's own domain has two names; both become ''. */
function domainOf(name: string): string {
  return name === 'ai.onnx' ? '' : name;
}

function readAttribute(message: Message, attributes: Map<string, OnnxAttribute>): void {
  let name = '';
  const one: { f?: number; i?: number; s?: string; t?: OnnxTensor } = {};
  const floats: number[] = [];
  const ints: number[] = [];
  readFields(message, (m, field) => {
    if (field === 1) name = m.text();
    else if (field === 2) one.f = m.float();
    else if (field === 3) one.i = m.varint();
    else if (field === 4) one.s = m.text();
    else if (field === 5) one.t = readTensor(m.message());
    else if (field === 7) m.floats(floats);
    else if (field === 8) m.varints(ints);
  });
  attributes.set(name, { ...one, floats, ints });
}

const FLOAT = 1;
const DOUBLE = 11;

function readTensor(message: Message): OnnxTensor {
  const tensor = { name: '', type: 0, isExternal: false };
  const dims: number[] = [];
  const numbers: number[] = [];
  const pieces: Uint8Array[] = [];
  const external = new Map<string, string>();
  readFields(message, (m, field) => {
    if (field === 1) m.varints(dims);
    else if (field === 2) tensor.type = m.varint();
    else if (field === 4) push(pieces, m.numberBytes(4));
    else if (field === 5 || field === 7 || field === 11) m.varints(numbers);
    else if (field === 8) tensor.name = m.text();
    else if (field === 9) push(pieces, m.bytes());
    else if (field === 10) push(pieces, m.numberBytes(8));
    else if (field === 13) readEntry(m.message(), external);
    else if (field === 14) tensor.isExternal = m.varint() === 1;
  });
  const { name, type, isExternal } = tensor;
  const isFloat = type === FLOAT || type === DOUBLE;
  if (pieces.length > 0 && numbers.length > 0 && isFloat) {
    throw new FormatError(`tensor ${name} has its elements twice`);
  }
  return {
    name,
    type,
    dims,
    numbers,
    ...(pieces.length > 0 && { raw: joinedBytes(pieces) }),
    ...(isExternal && { external }),
  };
}

/** ValueInfoProto: name, type.tensor_type.{elem_type, shape.dim.{dim_value, dim_param}}. */
function readValue(message: Message): OnnxValue {
  const value: { name: string; type: number; dims?: (number | undefined)[] } = {
    name: '',
    type: 0,
  };
  readFields(message, (m, field) => {
    if (field === 1) value.name = m.text();
    else if (field === 2) {
      readFields(m.message(), (type, kind) => {
        if (kind !== 1) return;
        readFields(type.message(), (tensor, part) => {
          if (part === 1) value.type = tensor.varint();
          else if (part === 2) value.dims = readDims(tensor.message());
        });
      });
    }
  });
  return value;
}

function readDims(message: Message): (number | undefined)[] {
  const dims: (number | undefined)[] = [];
  readFields(message, (m, field) => {
    if (field !== 1) return;
    let size: number | undefined;
    readFields(m.message(), (dim, part) => {
      if (part === 1) size = dim.varint();
    });
    // Some exporters write −1 or 0 for a size that is not fixed.
    push(dims, size !== undefined && size > 0 ? size : undefined);
  });
  return dims;
}

function readOpset(message: Message, opsets: Map<string, number>): void {
  let domain = '';
  let version = 0;
  readFields(message, (m, field) => {
    if (field === 1) domain = m.text();
    else if (field === 2) version = m.varint();
  });
  opsets.set(domainOf(domain), version);
}

/** StringStringEntryProto. */
function readEntry(message: Message, entries: Map<string, string>): void {
  let key = '';
  let value = '';
  readFields(message, (m, field) => {
    if (field === 1) key = m.text();
    else if (field === 2) value = m.text();
  });
  entries.set(key, value);
}

function push<T>(list: T[], item: T, most: number = MOST_LISTED): void {
  if (list.length >= most) throw new FormatError(`a list of more than ${most} entries`);
  list.push(item);
}

function readFields(message: Message, read: (m: Message, field: number) => void): void {
  try {
    for (let field = message.next(); field !== 0; field = message.next()) read(message, field);
  } catch (error) {
    throw error instanceof FormatError ? error : message.damaged();
  }
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/**
 * Reads a message's fields one after the other. Each read checks the wire type of its field. When the next field is
 * read, it checks that the previous one ended within the message.
 */
class Message {
  readonly #reader: PbfReader;
  readonly #begin: number;

  /** @param begin offset of the bytes in the file, for error messages */
  constructor(bytes: Uint8Array, begin: number) {
    this.#reader = new PbfReader(bytes);
    this.#begin = begin;
  }

  /** @returns the number of the next field; 0 at the end */
  next(): number {
    const reader = this.#reader;
    const field = reader.nextField();
    if (field === 0 ? reader.pos !== reader.length : reader.pos > reader.length) {
      throw this.damaged();
    }
    return field;
  }

  varint(): number {
    this.#expect(VARINT);
    return this.#reader.readVarint(true);
  }

  float(): number {
    this.#expect(FIXED32);
    return this.#reader.readFloat();
  }

  bytes(): Uint8Array {
    this.#expect(BYTES);
    const bytes = this.#reader.readBytes();
    if (this.#reader.pos > this.#reader.length) throw this.damaged();
    return bytes;
  }

  text(): string {
    return decodeUtf8(this.bytes());
  }

  message(): Message {
    const bytes = this.bytes();
    return new Message(bytes, this.#begin + this.#reader.pos - bytes.length);
  }

  /** One number of `size` bytes, or a packed list of them, as bytes. */
  numberBytes(size: 4 | 8): Uint8Array {
    const reader = this.#reader;
    if (reader.type === BYTES) return this.bytes();
    this.#expect(size === 4 ? FIXED32 : FIXED64);
    const { pos } = reader;
    reader.pos += size;
    return reader.buf.subarray(pos, pos + size);
  }

  floats(out: number[]): void {
    const bytes = this.numberBytes(4);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + 4 <= bytes.length; at += 4) {
      push(out, view.getFloat32(at, true), MOST_NUMBERS);
    }
  }

  /** One varint, or a packed list of them. */
  varints(out: number[]): void {
    if (this.#reader.type === VARINT) {
      push(out, this.varint(), MOST_NUMBERS);
      return;
    }
    const packed = new PbfReader(this.bytes());
    while (packed.pos < packed.length) push(out, packed.readVarint(true), MOST_NUMBERS);
    if (packed.pos > packed.length) throw this.damaged();
  }

  #expect(type: number): void {
    if (this.#reader.type !== type) throw this.damaged();
  }

  damaged(): FormatError {
    const at = this.#begin + Math.min(this.#reader.pos, this.#reader.length);
    return new FormatError(`not an ONNX model: damaged at byte ${at}, or the file is cut short`);
  }
}
