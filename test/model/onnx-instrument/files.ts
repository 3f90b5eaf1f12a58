/** ONNX files of test/onnx/instrument and files by hand; both read and written by pbf, which the package does not use for it. */

import { readFileSync } from 'node:fs';
import { PbfReader, PbfWriter } from 'pbf';
import type { InstrumentTarget } from '../../../src/model/onnx-instrument/index.js';

const FOLDER = new URL('../../onnx/instrument/', import.meta.url);

interface Case {
  readonly target: InstrumentTarget;
}

export const CASES: Readonly<Record<string, Case>> = JSON.parse(
  readFileSync(new URL('cases.json', FOLDER), 'utf8'),
);
export const NAMES: readonly string[] = Object.keys(CASES);

export function fileOf(name: string): Uint8Array {
  return Uint8Array.from(readFileSync(new URL(`${name}.onnx`, FOLDER)));
}

/** A field of a message: all of its bytes, and its contents. */
export interface RawField {
  readonly number: number;
  readonly raw: Uint8Array;
  readonly content: Uint8Array;
}

export function fieldsIn(bytes: Uint8Array): RawField[] {
  const reader = new PbfReader(bytes);
  const fields: RawField[] = [];
  while (reader.pos < reader.length) {
    const start = reader.pos;
    const tag = reader.readVarint();
    const begin = reader.pos;
    reader.skip(tag);
    const raw = bytes.subarray(start, reader.pos);
    let content = bytes.subarray(begin, reader.pos);
    if ((tag & 7) === 2) content = new PbfReader(content).readBytes();
    fields.push({ number: tag >> 3, raw, content });
  }
  return fields;
}

export function textsIn(bytes: Uint8Array, number: number): string[] {
  return contents(bytes, number).map((content) => Buffer.from(content).toString());
}

export function contents(bytes: Uint8Array, number: number): Uint8Array[] {
  return fieldsIn(bytes).flatMap((field) => (field.number === number ? [field.content] : []));
}

export function varintIn(bytes: Uint8Array, number: number): number | undefined {
  const content = contents(bytes, number)[0];
  return content && new PbfReader(content).readVarint(true);
}

/** The graph of a file. */
export function graphOf(bytes: Uint8Array): Uint8Array {
  return contents(bytes, 7)[0]!;
}

export function opsetOf(bytes: Uint8Array): number {
  const own = contents(bytes, 8).find((entry) => (textsIn(entry, 1)[0] ?? '') === '');
  return varintIn(own!, 2)!;
}

export interface ReadNode {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly opType: string;
  readonly attributes: readonly string[];
}

export function readNode(bytes: Uint8Array): ReadNode {
  return {
    inputs: textsIn(bytes, 1),
    outputs: textsIn(bytes, 2),
    opType: textsIn(bytes, 4)[0]!,
    attributes: contents(bytes, 5).map((attribute) => textsIn(attribute, 1)[0]!),
  };
}

export type Attribute =
  | number
  | readonly number[]
  | { readonly float: number }
  | { readonly graph: readonly NodeByHand[] };

/** A node: type, inputs, outputs, attributes. */
export type NodeByHand = readonly [
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes?: Readonly<Record<string, Attribute>>,
];

export interface ModelByHand {
  readonly opset?: number;
  readonly nodes: readonly NodeByHand[];
  /** Name and type of elements. */
  readonly inputs?: readonly (readonly [name: string, type: number])[];
  readonly initializers?: readonly (readonly [name: string, type: number])[];
  readonly functions?: boolean;
}

/** A file with the input x of three channels and any size. */
export function modelOf({
  opset = 13,
  nodes,
  inputs = [['x', 1]],
  initializers = [],
  functions = false,
}: ModelByHand): Uint8Array {
  const model = new PbfWriter();
  model.writeVarintField(1, 6);
  model.writeMessage(
    7,
    (_: null, graph: PbfWriter) => {
      writeNodes(graph, nodes);
      graph.writeStringField(2, 'by hand');
      for (const [name, type] of initializers) {
        graph.writeMessage(
          5,
          (_: null, tensor: PbfWriter) => {
            tensor.writeVarintField(2, type);
            tensor.writeStringField(8, name);
          },
          null,
        );
      }
      for (const [name, type] of inputs) {
        graph.writeMessage(11, (_: null, value: PbfWriter) => writeValue(value, name, type), null);
      }
    },
    null,
  );
  model.writeMessage(8, (_: null, entry: PbfWriter) => entry.writeVarintField(2, opset), null);
  if (functions)
    model.writeMessage(25, (_: null, f: PbfWriter) => f.writeStringField(1, 'f'), null);
  return model.finish().slice();
}

function writeNodes(graph: PbfWriter, nodes: readonly NodeByHand[]): void {
  for (const [opType, inputs, outputs, attributes = {}] of nodes) {
    graph.writeMessage(
      1,
      (_: null, node: PbfWriter) => {
        for (const name of inputs) node.writeStringField(1, name);
        for (const name of outputs) node.writeStringField(2, name);
        node.writeStringField(4, opType);
        for (const [name, value] of Object.entries(attributes)) {
          node.writeMessage(
            5,
            (_: null, attribute: PbfWriter) => {
              attribute.writeStringField(1, name);
              if (typeof value === 'number') attribute.writeVarintField(3, value);
              else if ('float' in value) attribute.writeFloatField(2, value.float);
              else if ('graph' in value) {
                attribute.writeMessage(
                  6,
                  (_: null, inner: PbfWriter) => writeNodes(inner, value.graph),
                  null,
                );
              } else for (const int of value) attribute.writeVarintField(8, int);
            },
            null,
          );
        }
      },
      null,
    );
  }
}

function writeValue(value: PbfWriter, name: string, type: number): void {
  value.writeStringField(1, name);
  value.writeMessage(
    2,
    (_: null, types: PbfWriter) => {
      types.writeMessage(
        1,
        (_: null, tensor: PbfWriter) => {
          tensor.writeVarintField(1, type);
          tensor.writeMessage(
            2,
            (_: null, shape: PbfWriter) => {
              shape.writeMessage(
                1,
                (_: null, dim: PbfWriter) => dim.writeStringField(2, 'N'),
                null,
              );
              shape.writeMessage(1, (_: null, dim: PbfWriter) => dim.writeVarintField(1, 3), null);
              shape.writeMessage(
                1,
                (_: null, dim: PbfWriter) => dim.writeStringField(2, 'H'),
                null,
              );
              shape.writeMessage(1, (_: null, dim: PbfWriter) => dim.writeVarintField(1, -1), null);
            },
            null,
          );
        },
        null,
      );
    },
    null,
  );
}

/** A target whose one tap is `tap`. */
export function targetOf(more: Partial<InstrumentTarget> = {}): InstrumentTarget {
  return {
    input: 'x',
    inputLayout: 'nchw',
    taps: [{ name: 'tap', layout: 'nchw', nonNegative: true }],
    logits: 'tap',
    ...more,
  };
}
