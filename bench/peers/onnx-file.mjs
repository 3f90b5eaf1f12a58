// Makes the bytes of an ONNX file. Weights are written row by row directly into them, so that there is only one copy:
// VGG-16 has 553 MB.
//
// Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
import protobuf from 'protobufjs/minimal.js';

const MODEL = { irVersion: 1, graph: 7, opset: 8 };
const OPSET = { version: 2 };
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 };
const NODE = { input: 1, output: 2, opType: 4, attribute: 5 };
const ATTRIBUTE = { name: 1, f: 2, i: 3, ints: 8, type: 20 };
const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9 };
const VALUE = { name: 1, type: 2 };
const TYPE = { tensor: 1 };
const TENSOR_TYPE = { dataType: 1, shape: 2 };
const SHAPE = { dim: 1 };
const DIM = { value: 1 };

const IR_VERSION = 8;
const OPSET_VERSION = 13;
const FLOAT32 = 1;
const ATTRIBUTE_TYPES = { f: 1, i: 2, ints: 7 };

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

/**
 * @param graph `input` and `output`: { name, dims }; `nodes`: { op, inputs, output, ints, floats }, the last two are
 * attributes by name; `tensors`: { name, dims, row(out, i) }, where i is the index of the first dimension
 */
export function onnxFile({ name, input, output, nodes, tensors }) {
  const graph = encode([
    ...nodes.map((node) => [GRAPH.node, nodeFields(node)]),
    [GRAPH.name, name],
    [GRAPH.input, valueFields(input)],
    [GRAPH.output, valueFields(output)],
  ]);
  const initializers = tensors.map((tensor) => ({ ...tensor, head: initializerHead(tensor) }));
  const graphBytes = initializers.reduce(
    (sum, { head, dims }) => sum + head.length + bytesOf(dims),
    graph.length,
  );
  const model = encode([
    [MODEL.irVersion, IR_VERSION],
    [MODEL.opset, [[OPSET.version, OPSET_VERSION]]],
  ]);
  const graphHead = bytesHead(MODEL.graph, graphBytes);
  const file = new Uint8Array(model.length + graphHead.length + graphBytes);
  let at = 0;
  const append = (bytes) => {
    file.set(bytes, at);
    at += bytes.length;
  };
  [model, graphHead, graph].forEach(append);
  for (const { head, dims, row } of initializers) {
    append(head);
    const floats = new Float32Array(sizeOf(dims.slice(1)));
    const bytes = new Uint8Array(floats.buffer);
    for (let i = 0; i < dims[0]; i++) {
      row(floats, i);
      append(bytes);
    }
  }
  return file;
}

function nodeFields({ op, inputs, output, ints = {}, floats = {} }) {
  return [
    ...inputs.map((input) => [NODE.input, input]),
    [NODE.output, output],
    [NODE.opType, op],
    ...Object.entries(ints).map(([name, value]) => {
      const kind = Array.isArray(value) ? 'ints' : 'i';
      const values = [value].flat().map((each) => [ATTRIBUTE[kind], each]);
      return [NODE.attribute, attributeFields(name, kind, values)];
    }),
    ...Object.entries(floats).map(([name, float]) => [
      NODE.attribute,
      attributeFields(name, 'f', [[ATTRIBUTE.f, { float }]]),
    ]),
  ];
}

function attributeFields(name, kind, values) {
  return [[ATTRIBUTE.name, name], ...values, [ATTRIBUTE.type, ATTRIBUTE_TYPES[kind]]];
}

function valueFields({ name, dims }) {
  const shape = dims.map((size) => [SHAPE.dim, [[DIM.value, size]]]);
  const tensor = [
    [TENSOR_TYPE.dataType, FLOAT32],
    [TENSOR_TYPE.shape, shape],
  ];
  return [
    [VALUE.name, name],
    [VALUE.type, [[TYPE.tensor, tensor]]],
  ];
}

/** The bytes of an initializer before its floats. */
function initializerHead({ name, dims }) {
  const about = encode([
    ...dims.map((size) => [TENSOR.dims, size]),
    [TENSOR.dataType, FLOAT32],
    [TENSOR.name, name],
  ]);
  const tensor = Uint8Array.from([...about, ...bytesHead(TENSOR.rawData, bytesOf(dims))]);
  return Uint8Array.from([
    ...bytesHead(GRAPH.initializer, tensor.length + bytesOf(dims)),
    ...tensor,
  ]);
}

/** The beginning of a field of bytes: its number and its length. */
function bytesHead(id, length) {
  return protobuf.Writer.create()
    .uint32((id << 3) | BYTES)
    .uint32(length)
    .finish();
}

function encode(fields) {
  const writer = protobuf.Writer.create();
  write(writer, fields);
  return writer.finish();
}

/** Writes fields, [number, value], in order. A list of fields is a message, `{ float }` is a float, a number is whole. */
function write(writer, fields) {
  for (const [id, value] of fields) {
    if (typeof value === 'number') {
      writer.uint32((id << 3) | VARINT).int64(value);
    } else if (typeof value === 'string') {
      writer.uint32((id << 3) | BYTES).string(value);
    } else if (Array.isArray(value)) {
      write(writer.uint32((id << 3) | BYTES).fork(), value);
      writer.ldelim();
    } else {
      writer.uint32((id << 3) | FIXED32).float(value.float);
    }
  }
}

function bytesOf(dims) {
  return Float32Array.BYTES_PER_ELEMENT * sizeOf(dims);
}

function sizeOf(dims) {
  return dims.reduce((product, size) => product * size, 1);
}
