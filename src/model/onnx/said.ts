/**
 * Reads the metadata that exporters write into an ONNX file, and translates it to our own: `labels` and
 * `preprocessing`, as JSON text (formats/metadata.ts).
 *
 *   names, labels, classes, id2label, class_names   class names: JSON, or a dict as Python prints it
 *   mean, std, input_mean …                         lists of numbers
 *   imgsz, input_size                               the size, or [.., H, W]
 *   author Ultralytics                              0 … 1 and no mean
 *   producer_name with Caffe in it                  Caffe's bytes
 *   Image.BitmapPixelFormat, .NominalPixelRange     Windows ML's
 */

import { type PixelRange, preprocessingOfRange } from '../../image/index.js';
import type { OnnxModel } from './proto.js';
import type { OnnxInput } from './signature.js';

const LABEL_KEYS: readonly string[] = ['labels', 'names', 'classes', 'class_names', 'id2label'];

/** The longest text of class names that is read. */
const MOST_CHARACTERS = 2 ** 22;

/** Class names of the metadata, in index order. */
export function saidLabels({ metadata }: OnnxModel): readonly string[] | undefined {
  for (const key of LABEL_KEYS) {
    const text = metadata.get(key);
    const isRead = text !== undefined && text.length <= MOST_CHARACTERS;
    const labels = isRead ? parseLabels(text) : undefined;
    if (labels) return labels;
  }
  return undefined;
}

/** A list or a dictionary of names by index, in JSON, or a dictionary as Python prints it. */
function parseLabels(text: string): readonly string[] | undefined {
  const json = parseJson(text);
  if (Array.isArray(json)) return json.every((item) => typeof item === 'string') ? json : undefined;
  if (typeof json === 'object' && json !== null) return byIndex(Object.entries(json));
  // An unclosed quote ends with the text, so that no part of the text is scanned more than once.
  const entry = /\b(\d{1,7})\s*:\s*(?:'((?:[^'\\]|\\.?)*)(?:'|$)|"((?:[^"\\]|\\.?)*)(?:"|$))/gs;
  const found = text.trim().startsWith('{') ? text.matchAll(entry) : [];
  return byIndex(
    [...found].map(([, index, name, other]) => [
      index!,
      (name ?? other ?? '').replace(/\\(.)/gs, '$1'),
    ]),
  );
}

function byIndex(entries: readonly (readonly [string, unknown])[]): readonly string[] | undefined {
  const labels: string[] = [];
  for (const [key, name] of entries) {
    const index = Number(key);
    if (!Number.isInteger(index) || index < 0 || index >= entries.length) return undefined;
    if (typeof name !== 'string') return undefined;
    labels[index] = name;
  }
  const isEach = entries.length > 0 && Object.keys(labels).length === entries.length;
  return isEach ? labels : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The side of the input in the metadata. */
export function saidSize({ metadata }: OnnxModel): number | undefined {
  for (const key of ['imgsz', 'input_size', 'image_size', 'img_size']) {
    const numbers = numbersOf(metadata.get(key));
    const size = numbers?.at(-1);
    if (size !== undefined && Number.isInteger(size) && size > 0) return size;
  }
  return undefined;
}

function numbersOf(text: string | undefined): number[] | undefined {
  const found = text?.match(/-?\d+(?:\.\d*)?(?:e[-+]?\d+)?/gi)?.map(Number);
  return found && found.length > 0 ? found : undefined;
}

/** The preprocessing of pixels: parts of `Preprocessing`. */
export interface SaidPreprocessing {
  readonly channels?: 'rgb' | 'bgr' | 'grey';
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
}

const ORDERS: ReadonlyMap<string, 'rgb' | 'bgr' | 'grey'> = new Map([
  ['Rgb8', 'rgb'],
  ['Bgr8', 'bgr'],
  ['Gray8', 'grey'],
]);

/** Windows ML's names of ranges. */
const PIXEL_RANGES: ReadonlyMap<string, PixelRange> = new Map([
  ['NominalRange_0_255', '0..255'],
  ['Normalized_0_1', '0..1'],
  ['Normalized_1_1', '-1..1'],
]);

/**
 * @param firstScale the factor by which the graph multiplies the picture first, if it begins with arithmetic
 */
export function saidPreprocessing(
  model: OnnxModel,
  { channels, isBytes }: OnnxInput,
  firstScale: number | undefined,
): SaidPreprocessing {
  const { metadata, producer } = model;
  const order = ORDERS.get(metadata.get('Image.BitmapPixelFormat') ?? '');
  const ordered = order && { channels: order };
  const [mean, std] = [numbersOf(metadata.get('mean')), numbersOf(metadata.get('std'))];
  if (mean?.length === channels && std?.length === channels) {
    // Some are for pixels from 0 to 255.
    const unit = Math.max(...mean.map(Math.abs), ...std) > 2 ? 1 / 255 : 1;
    return { ...ordered, mean: mean.map((v) => v * unit), std: std.map((v) => v * unit) };
  }
  const range = rangeOf(metadata, producer, channels, isBytes, Math.abs(firstScale ?? 1));
  return { ...(range && preprocessingOfRange(range, channels)), ...ordered } as SaidPreprocessing;
}

function rangeOf(
  metadata: OnnxModel['metadata'],
  producer: string,
  channels: number,
  isBytes: boolean,
  firstScale: number,
): PixelRange | undefined {
  const range = PIXEL_RANGES.get(metadata.get('Image.NominalPixelRange') ?? '');
  if (range) return range;
  if (metadata.get('author') === 'Ultralytics') return '0..1';
  // Files of Caffe and Caffe2 need no other metadata.
  if (/caffe/i.test(producer) && channels === 3) return 'caffe';
  // A graph that normalises takes pixels from 0 to 255, or from 0 to 1.
  if (isBytes || firstScale < 0.1) return '0..255';
  return firstScale > 1.5 ? '0..1' : undefined;
}
