/**
 * ONNX's messages as trees of fields, for tests that damage them where it matters: fields are removed, doubled and
 * moved, and the file is written with lengths that fit. Field numbers are those of onnx.proto.
 */

export interface Field {
  readonly id: number;
  /** 0 a whole number, 1 and 5 floats, 2 bytes or a message. */
  readonly wire: number;
  /** Of wire type 2 a message, if the schema says so. */
  value: bigint | Uint8Array | Field[];
}

/** Which fields are messages, and of what kind. */
type Schema = { readonly [id: number]: Schema };

const ENTRY: Schema = {};
const TENSOR: Schema = { 13: ENTRY };
const SPARSE: Schema = { 1: TENSOR, 2: TENSOR };
const TYPE: Schema = { 1: { 2: { 1: {} } } };
const INFO: Schema = { 2: TYPE };
const ATTRIBUTE: Schema = { 5: TENSOR, 22: SPARSE, 10: TENSOR };
const NODE: Schema = { 5: ATTRIBUTE };
const GRAPH: Schema = { 1: NODE, 5: TENSOR, 11: INFO, 12: INFO, 13: INFO, 15: SPARSE };
const MODEL: Schema = { 7: GRAPH, 8: {}, 14: ENTRY };

/** Reads a sound file. */
export function fieldsOf(bytes: Uint8Array, schema: Schema = MODEL): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const taken = (length: number): Uint8Array => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const id = key >> 3;
    const wire = key & 7;
    if (wire === 0) fields.push({ id, wire, value: varint() });
    else if (wire !== 2) fields.push({ id, wire, value: taken(wire === 1 ? 8 : 4) });
    else {
      const inner = taken(Number(varint()));
      const nested = schema[id];
      fields.push({ id, wire, value: nested ? fieldsOf(inner, nested) : inner });
    }
  }
  return fields;
}

export function bytesOf(fields: readonly Field[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { id, wire, value } of fields) {
    parts.push(varintBytes(BigInt((id << 3) | wire)));
    if (typeof value === 'bigint') parts.push(varintBytes(value));
    else {
      const inner = value instanceof Uint8Array ? value : bytesOf(value);
      if (wire === 2) parts.push(varintBytes(BigInt(inner.length)));
      parts.push(inner);
    }
  }
  return Buffer.concat(parts);
}

/** Two's complement of 64 bits: ONNX writes negative numbers in this form. */
function varintBytes(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

/** Every list of fields in a tree, with the list that contains it. */
export function messagesOf(fields: Field[]): Field[][] {
  return [
    fields,
    ...fields.flatMap(({ value }) => (Array.isArray(value) ? messagesOf(value) : [])),
  ];
}
