// The bytes of a whole ResNet-50 as ONNX, 102 MB, from resnet50-light.onnx: every weight that the light graph makes at
// run time (a node ConstantOfShape) becomes an initializer, of noise about its constant.
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs/minimal.js';

// Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
const MODEL_GRAPH = 7;
const GRAPH = { node: 1, initializer: 5 };
const NODE = { input: 1, output: 2, opType: 4, attribute: 5 };
const ATTRIBUTE_TENSOR = 5;
const TENSOR = { dims: 1, dataType: 2, floatData: 4, name: 8, rawData: 9 };
const FLOAT = 1;
const BYTES = 2;

export function fullOnnx() {
  const light = readFileSync(new URL('./resnet50-light.onnx', import.meta.url));
  return withField(light, MODEL_GRAPH, (graph) => graphWithWeights(graph));
}

function graphWithWeights(graph) {
  const fields = fieldsOf(graph);
  const shapes = new Map();
  for (const { id, value } of fields) {
    if (id !== GRAPH.initializer) continue;
    const name = textOf(value, TENSOR.name);
    if (name.endsWith('_shape')) shapes.set(name, int64sOf(only(value, TENSOR.rawData)));
  }
  const writer = protobuf.Writer.create();
  for (const { id, wire, value } of fields) {
    const constant = id === GRAPH.node && textOf(value, NODE.opType) === 'ConstantOfShape';
    if (!constant) {
      const unused = id === GRAPH.initializer && shapes.has(textOf(value, TENSOR.name));
      if (!unused) write(writer, id, wire, value);
      continue;
    }
    const shape = shapes.get(textOf(value, NODE.input));
    const tensor = only(only(value, NODE.attribute), ATTRIBUTE_TENSOR);
    const [mean] = new Float32Array(Uint8Array.from(only(tensor, TENSOR.floatData)).buffer);
    write(writer, GRAPH.initializer, BYTES, initializer(textOf(value, NODE.output), shape, mean));
  }
  return writer.finish();
}

function initializer(name, shape, mean) {
  const weights = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (let i = 0; i < weights.length; i++) weights[i] = mean * (1 + 0.5 * Math.sin(i));
  const writer = protobuf.Writer.create();
  for (const size of shape) writer.uint32((TENSOR.dims << 3) | 0).int64(size);
  writer.uint32((TENSOR.dataType << 3) | 0).int32(FLOAT);
  writer.uint32((TENSOR.name << 3) | BYTES).string(name);
  writer.uint32((TENSOR.rawData << 3) | BYTES).bytes(new Uint8Array(weights.buffer));
  return writer.finish();
}

/** The message with the value of one field replaced. */
function withField(message, field, replace) {
  const writer = protobuf.Writer.create();
  for (const { id, wire, value } of fieldsOf(message)) {
    write(writer, id, wire, id === field ? replace(value) : value);
  }
  return writer.finish();
}

/** Fields in their order: bytes, or a number. The graph has no others. */
function fieldsOf(message) {
  const reader = protobuf.Reader.create(message);
  const fields = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const wire = tag & 7;
    fields.push({ id: tag >>> 3, wire, value: wire === BYTES ? reader.bytes() : reader.int64() });
  }
  return fields;
}

function write(writer, id, wire, value) {
  writer.uint32((id << 3) | wire);
  if (wire === BYTES) writer.bytes(value);
  else writer.int64(value);
}

function only(message, field) {
  return fieldsOf(message).find(({ id }) => id === field).value;
}

function textOf(message, field) {
  return new TextDecoder().decode(only(message, field));
}

function int64sOf(bytes) {
  return Array.from(new BigInt64Array(Uint8Array.from(bytes).buffer), Number);
}
