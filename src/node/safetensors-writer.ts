/** Writes safetensors (../model/formats/safetensors.ts has the format). */

import type { TensorShape } from '../model/index.js';

/**
 * Writes float32 arrays as a safetensors file, in the order given, header padded to 8 bytes.
 *
 * @param arrays name → shape (row-major) and data
 */
export function writeSafetensors(
  arrays: Readonly<Record<string, { shape: readonly number[]; data: Float32Array }>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const tensors = Object.entries(arrays);
  const header = safetensorsHeader(
    tensors.map(([name, { shape, data }]) => [name, { dtype: 'F32', shape }, data.byteLength]),
    metadata,
  );
  const end = tensors.reduce((at, [, { data }]) => at + data.byteLength, header.length);
  const file = new Uint8Array(end);
  file.set(header);
  let at = header.length;
  for (const [, { data }] of tensors) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

/**
 * The start of a safetensors file, padded to 8 bytes; the tensors' bytes follow in the given order.
 *
 * @param tensors name, dtype and shape, length in bytes
 */
export function safetensorsHeader(
  tensors: readonly (readonly [name: string, info: TensorShape, bytes: number])[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header['__metadata__'] = metadata;
  let end = 0;
  for (const [name, { dtype, shape }, bytes] of tensors) {
    const begin = end;
    end += bytes;
    header[name] = { dtype, shape, data_offsets: [begin, end] };
  }
  // Escaping everything beyond ASCII makes one character one byte: no UTF-8 encoder is needed.
  const json = JSON.stringify(header).replace(
    /[\u0080-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerBytes).fill(0x20);
  new DataView(bytes.buffer).setUint32(0, headerBytes, true);
  bytes.fill(0, 4, 8);
  for (let i = 0; i < json.length; i++) bytes[8 + i] = json.charCodeAt(i);
  return bytes;
}
