/** Reads and writes tensors: an input for the network instead of a picture, and all arrays of a run. */

import { FormatError } from '../errors.js';
import type { FloatTensor } from '../explain.js';
import type { Explanation } from '../explanation.js';
import type { Picture } from '../image/picture.js';
import { flatten } from '../kernels/operators.js';
import type { Attribution } from '../methods/gradients/attribution.js';
import { channelOffset, type Preprocessing, parseSafetensors } from '../model/index.js';
import type { SaliencyMap } from '../viz/ndarray.js';
import { readFileBytes } from './file-bytes.js';
import { writeSafetensors } from './safetensors-writer.js';

/** The name of the tensor that is read. */
const INPUT = 'input';

/**
 * Reads the tensor `input` [N, channels, H, W], already normalised, from a safetensors file.
 *
 * @throws {FormatError} in one line that names the file and the cause
 */
export async function readTensor(path: string, channels: number): Promise<FloatTensor> {
  const file = parseSafetensors(await readFileBytes(path, 'a tensor (safetensors)'), path);
  const shape = file.tensors.get(INPUT)?.shape;
  if (shape === undefined) {
    const names = [...file.tensors.keys()].slice(0, 5).join(', ') || 'none';
    throw new FormatError(`${path}: no tensor is called ${INPUT}; there are: ${names}`);
  }
  if (shape.length !== 4 || shape[1] !== channels || shape.includes(0)) {
    throw new FormatError(
      `${path}: tensor ${INPUT} expected [N, ${channels}, H, W], got [${shape}]`,
    );
  }
  return { data: file.read(INPUT), shape: shape as unknown as FloatTensor['shape'] };
}

/**
 * Picture `n` of a normalised tensor, as it looked before: x·std + mean, limited to 0…255. If the channels are
 * not a picture's, the first channel is shown, from its least to its greatest value.
 */
export function pictureOfTensor(
  { data, shape }: FloatTensor,
  n: number,
  { channels, mean, std }: Preprocessing,
): Picture {
  const [, C, height, width] = shape;
  const pixels = height * width;
  const out = new Uint8ClampedArray(4 * pixels).fill(255);
  const first = data.subarray(n * C * pixels, (n * C + 1) * pixels);
  const min = first.reduce((least, value) => Math.min(least, value), Infinity);
  const max = first.reduce((most, value) => Math.max(most, value), -Infinity);
  const isColor = channels === 'rgb' || channels === 'bgr';
  for (let byte = 0; byte < 3; byte++) {
    const c = isColor ? channelOffset(channels, byte) : 0;
    const scale = channels === 'other' ? 1 / Math.max(max - min, 1e-9) : std[c]!;
    const shift = channels === 'other' ? -min * scale : mean[c]!;
    const plane = (n * C + c) * pixels;
    for (let p = 0; p < pixels; p++) out[4 * p + byte] = 255 * (data[plane + p]! * scale + shift);
  }
  return { data: out, width, height };
}

/** Picture `n` of a tensor, as a tensor of one picture. */
export function tensorItem({ data, shape }: FloatTensor, n: number): FloatTensor {
  const [, ...rest] = shape;
  const length = rest.reduce((product, extent) => product * extent, 1);
  return { data: data.subarray(n * length, (n + 1) * length), shape: [1, ...rest] };
}

/** The results of a run for one picture. */
export interface TensorSource {
  readonly explanation: Explanation;
  readonly attribution?: Attribution | undefined;
}

interface NamedArray {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/**
 * All arrays of a run as the bytes of a safetensors file, float32: `logits` [N, classes]; for each
 * scale `scale.i` and the raw `smoe.i`, or the name of another statistic, [N, h, w]; `combined`, and with a
 * CAM `cam`, `fastcam` and `nonclass`, [N, H, W]; with another method its `attribution` [N, C, H, W] and `map`
 * [N, H, W], at the size of the network's input.
 */
export function encodeTensors(
  items: readonly TensorSource[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const N = items.length;
  const stack = (pick: (item: TensorSource) => NamedArray): NamedArray => {
    const picked = items.map(pick);
    const { data, shape } = picked[0]!;
    const stacked = new Float32Array(N * data.length);
    for (const [n, item] of picked.entries()) stacked.set(item.data, n * data.length);
    return { shape: [N, ...shape], data: stacked };
  };
  const stackMaps = (pick: (e: Explanation) => SaliencyMap) =>
    stack(({ explanation }) => pick(explanation));
  const { explanation: first, attribution } = items[0]!;
  const arrays: Record<string, NamedArray> = {
    logits: stack(({ explanation: { logits } }) => ({ data: logits, shape: [logits.length] })),
  };
  const { rawMaps, statistic } = first;
  for (const i of rawMaps.keys()) arrays[`${statistic}.${i}`] = stackMaps((e) => e.rawMaps[i]!);
  for (const i of first.scaleMaps.keys()) arrays[`scale.${i}`] = stackMaps((e) => e.scaleMaps[i]!);
  arrays['combined'] = stackMaps((e) => e.combinedMap);
  if (first.cam !== 'none') {
    arrays['cam'] = stackMaps((e) => e.camMap);
    arrays['fastcam'] = stackMaps((e) => e.fastcamMap);
    arrays['nonclass'] = stackMaps((e) => e.nonClassMap);
  }
  if (attribution) {
    arrays['attribution'] = stack((item) => planes(item.attribution!.attribution));
    arrays['map'] = stack((item) => item.attribution!.map);
  }
  return writeSafetensors(arrays, metadata);
}

/** [H, W, C] → [C, H, W] */
function planes({ data, shape }: Attribution['attribution']): NamedArray {
  const [H, W, C] = shape as [number, number, number];
  const out = new Float32Array(data.length);
  flatten(out, data, [1, H * W, C]);
  return { data: out, shape: [C, H, W] };
}
