/** An ONNX file with more of its values as outputs. */

/**
 * Protobuf reads two messages that lie one behind the other as one with the fields of both. So outputs are added by a
 * second, small model behind the first: ModelProto.graph (7) with GraphProto.output (12) with ValueInfoProto.name (1).
 *
 * @param file the bytes of an ONNX file
 * @param names of values or initializers that are no outputs yet
 */
export function withOutputs(file, names) {
  const text = new TextEncoder();
  const outputs = [...new Set(names)].flatMap((name) => field(12, field(1, text.encode(name))));
  const added = field(7, outputs);
  const bytes = new Uint8Array(file.length + added.length);
  bytes.set(file);
  bytes.set(added, file.length);
  return bytes;
}

/** A field that holds bytes: its number with type 2, their count, and they. */
function field(number, bytes) {
  return [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes];
}

function varint(value) {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
