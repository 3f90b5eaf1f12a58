/** Small ONNX files, written by pbf: they contain only the graph that a test describes. */

import { PbfWriter } from 'pbf';

export interface NodeSpec {
  readonly op: string;
  readonly inputs: readonly string[];
  /** Default the operator's name in small letters and the node's number, as `relu3`. */
  readonly outputs?: readonly string[];
  /** Whole numbers are ints, others and those in `floats` are floats. */
  readonly attributes?: Readonly<Record<string, number | string | readonly number[]>>;
}

export interface Constant {
  readonly dims: readonly number[];
  readonly values?: readonly number[];
  /** Number of TensorProto.DataType; default float, 7 is int64, 3 int8. */
  readonly type?: number;
}

export interface FileSpec {
  /** Default [1, 3, 4, 6]; −1 for a size that is not fixed. */
  readonly input?: readonly number[];
  readonly opset?: number;
  readonly constants?: Readonly<Record<string, Constant | readonly number[]>>;
  readonly nodes: readonly NodeSpec[];
  /** Default: the output of the last node. */
  readonly output?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** An ONNX file; its picture is the value `x`. A list of numbers is a vector of int64. */
export function onnxFile({ nodes, constants = {}, metadata = {}, ...spec }: FileSpec): Uint8Array {
  const { input = [1, 3, 4, 6], opset = 13 } = spec;
  const outputs = nodes.map((node, i) => node.outputs ?? [`${node.op.toLowerCase()}${i + 1}`]);
  const output = spec.output ?? outputs.at(-1)![0]!;
  const pbf = new PbfWriter();
  pbf.writeVarintField(1, 8);
  pbf.writeMessage(
    7,
    (_, graph) => {
      for (const [i, node] of nodes.entries()) {
        graph.writeMessage(1, (_node, p) => writeNode(p, node, outputs[i]!), null);
      }
      for (const [name, constant] of Object.entries(constants)) {
        graph.writeMessage(5, (_tensor, p) => writeTensor(p, name, constant), null);
      }
      graph.writeMessage(11, (_input, p) => writeValue(p, 'x', input), null);
      graph.writeMessage(12, (_output, p) => writeValue(p, output, []), null);
    },
    null,
  );
  pbf.writeMessage(8, (_, p) => p.writeVarintField(2, opset), null);
  for (const [key, value] of Object.entries(metadata)) {
    pbf.writeMessage(
      14,
      (_, p) => {
        p.writeStringField(1, key);
        p.writeStringField(2, value);
      },
      null,
    );
  }
  return pbf.finish();
}

function writeNode(pbf: PbfWriter, node: NodeSpec, outputs: readonly string[]): void {
  for (const name of node.inputs) pbf.writeStringField(1, name);
  for (const name of outputs) pbf.writeStringField(2, name);
  pbf.writeStringField(4, node.op);
  for (const [name, value] of Object.entries(node.attributes ?? {})) {
    pbf.writeMessage(
      5,
      (_, p) => {
        p.writeStringField(1, name);
        if (typeof value === 'string') p.writeStringField(4, value);
        else if (typeof value !== 'number') p.writePackedVarint(8, [...value]);
        else if (Number.isInteger(value)) p.writeVarintField(3, value);
        else p.writeFloatField(2, value);
      },
      null,
    );
  }
}

const INT64 = 7;

function writeTensor(pbf: PbfWriter, name: string, constant: Constant | readonly number[]): void {
  const list = Array.isArray(constant) ? (constant as readonly number[]) : undefined;
  const given = list ? { dims: [list.length], values: list, type: INT64 } : (constant as Constant);
  const { dims, values = [], type = 1 } = given;
  for (const size of dims) pbf.writeVarintField(1, size);
  pbf.writeVarintField(2, type);
  pbf.writeStringField(8, name);
  if (type === 1) pbf.writePackedFloat(4, [...values]);
  else pbf.writePackedVarint(type === INT64 ? 7 : 5, [...values]);
}

function writeValue(pbf: PbfWriter, name: string, dims: readonly number[]): void {
  pbf.writeStringField(1, name);
  pbf.writeMessage(
    2,
    (_type, type) => {
      type.writeMessage(
        1,
        (_tensor, tensor) => {
          tensor.writeVarintField(1, 1);
          tensor.writeMessage(
            2,
            (_shape, shape) => {
              for (const size of dims) {
                shape.writeMessage(
                  1,
                  (_dim, dim) => {
                    if (size >= 0) dim.writeVarintField(1, size);
                    else dim.writeStringField(2, 'any');
                  },
                  null,
                );
              }
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
