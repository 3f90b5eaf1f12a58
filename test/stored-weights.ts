/** State dicts as files store them at a precision. */

import type { Precision } from '../src/kernels/index.js';
import {
  architectureOf,
  checkLayers,
  layersOf,
  restingLayers,
  safetensorsHeader,
  scaleName,
  sizeOf,
  storedTensor,
  type TensorShape,
  type TensorSource,
} from '../src/model/index.js';

export interface FileTensor extends TensorShape {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The tensors of a network as `fastcam convert` stores them, in the order of the forward pass. */
export function storedTensors(source: TensorSource, precision: Precision): FileTensor[] {
  const layers = layersOf(architectureOf(source));
  const resting = restingLayers(layers, precision);
  return [...checkLayers(source, layers)].flatMap(([layer, tensors]) =>
    tensors.flatMap(([name, shape]) => encoded(source, name, shape, resting.get(layer)!.precision)),
  );
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
