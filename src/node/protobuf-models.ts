/**
 * Models in protobuf, recognised by their first fields: protobuf itself has no fixed first bytes.
 *
 *   ONNX            ir_version, producer_name …            onnx.proto, ModelProto
 *   Core ML         specificationVersion, description      Model.proto, Model
 *   SavedModel      saved_model_schema_version, graphs     saved_model.proto, SavedModel
 *   frozen graph    node { name, op }                      graph.proto, GraphDef
 *   Caffe           name, layer                            caffe.proto, NetParameter
 *
 * A field is a tag (eight times its number, plus its type), and then a value, or a length and bytes.
 */

/** A field of protobuf: its number and type, its value or length, and where its content begins and ends. */
interface Field {
  /** Eight times its number, plus the type: 0 for a value, 2 for bytes. */
  readonly tag: number;
  readonly value: number;
  readonly begin: number;
  readonly end: number;
}

const VALUE = 0;
const BYTES = 2;

function fieldAt(head: Uint8Array, at: number): Field {
  const [tag, next] = varint(head, at);
  const [value, begin] = varint(head, next);
  return { tag, value, begin, end: (tag & 7) === BYTES ? begin + value : begin };
}

/** Seven bits a byte, the lowest first. @returns the number, and where it ends */
function varint(head: Uint8Array, at: number): [value: number, end: number] {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = head[at + i] ?? 0;
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return [value, at + i + 1];
  }
  return [value, at + 10];
}

/** A version, with which models begin. @returns what follows it */
function afterVersion(head: Uint8Array): Field | undefined {
  const { tag, value, end } = fieldAt(head, 0);
  return tag === 8 + VALUE && value >= 1 && value < 32 ? fieldAt(head, end) : undefined;
}

/** saved_model_schema_version, then meta_graphs, which is all the rest. */
export function isSavedModel(head: Uint8Array, length: number): boolean {
  const graphs = afterVersion(head);
  return graphs?.tag === 8 * 2 + BYTES && graphs.end === length;
}

/** specificationVersion, then description, whose first field is an input. */
export function isCoreMl(head: Uint8Array): boolean {
  const description = afterVersion(head);
  if (description?.tag !== 8 * 2 + BYTES || description.value === 0) return false;
  const input = fieldAt(head, description.begin);
  return input.tag === 8 + BYTES && input.end <= description.end;
}

/** ir_version, then producer_name, a text, or another of producer_version … graph and opset_import. */
export function isOnnx(head: Uint8Array): boolean {
  const next = afterVersion(head);
  if (!next) return false;
  if (next.tag === 8 * 2 + BYTES) return isPrintable(head.subarray(next.begin, next.end));
  return [3, 4, 6, 7, 8].some((n) => next.tag === 8 * n + BYTES) || next.tag === 8 * 5 + VALUE;
}

/** node, which has a name and an op, a word. */
export function isFrozenGraph(head: Uint8Array): boolean {
  const node = fieldAt(head, 0);
  const name = fieldAt(head, node.begin);
  const op = fieldAt(head, name.end);
  if (node.tag !== 8 + BYTES || name.tag !== 8 + BYTES || op.tag !== 8 * 2 + BYTES) return false;
  const word = head.subarray(op.begin, op.end);
  return op.value > 0 && word.length > 0 && isPrintable(word);
}

/** name, a text, then layer, layers or input. */
export function isCaffe(head: Uint8Array): boolean {
  const name = fieldAt(head, 0);
  if (name.tag !== 8 + BYTES || name.value === 0 || name.end >= head.length) return false;
  const { tag } = fieldAt(head, name.end);
  return (
    isPrintable(head.subarray(name.begin, name.end)) &&
    [100, 2, 3].some((n) => tag === 8 * n + BYTES)
  );
}

function isPrintable(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
}
