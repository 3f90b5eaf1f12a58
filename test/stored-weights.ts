/** State dicts as files store them at a precision. */

import type { Precision } from '../src/kernels/index.js';
import {
  prepareNetwork,
  recognizeNetwork,
  scaleName,
  sizeOf,
  type TensorShape,
  type TensorSource,
  tensorsOf,
} from '../src/model/index.js';
import { safetensorsHeader } from '../src/node/safetensors-writer.js';
import { storedTensor } from '../src/node/stored-tensor.js';

export interface FileTensor extends TensorShape {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The tensors of a network as `fastcam convert` stores them, in the order of the forward pass. */
export function storedTensors(source: TensorSource, precision: Precision): FileTensor[] {
  const { layers, resting } = prepareNetwork(recognizeNetwork(source).graph, 224);
  const kept = resting(precision);
  return [...layers].flatMap(([key, layer]) => {
    const own = kept.get(key)!;
    const at = 'precision' in own ? own.precision : 'f32';
    return tensorsOf(source, layer).flatMap(([name, shape]) => encoded(source, name, shape, at));
  });
}

/** One tensor as it is stored in a layer of a precision, its scales behind it. */
export function encoded(
  source: TensorSource,
  name: string,
  shape: readonly number[],
  precision: Precision,
): FileTensor[] {
  const { dtype, bytesPerElement, scaled, encode } = storedTensor(precision, shape);
  const x = new Float32Array(sizeOf(shape));
  source.readInto(x, name, 0);
  const bytes = new Uint8Array(x.length * bytesPerElement);
  const scales = new Float32Array(shape[0]!).fill(1);
  encode(bytes, x, scales);
  const own = { name, dtype, shape, bytes };
  const scaleBytes = new Uint8Array(scales.buffer);
  const scale = { name: scaleName(name), dtype: 'F32', shape: [shape[0]!], bytes: scaleBytes };
  return scaled ? [own, scale] : [own];
}

/** A safetensors file. */
export function fileOf(
  tensors: readonly FileTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = tensors.map(({ name, bytes, ...info }) => [name, info, bytes.length] as const);
  const parts = [safetensorsHeader(entries, metadata), ...tensors.map(({ bytes }) => bytes)];
  return new Uint8Array(Buffer.concat(parts));
}
