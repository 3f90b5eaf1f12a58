/**
 * From a picture to the network's input, and back from the input to the picture's pixels.
 *
 *   RGBA bytes ─ over white ─ resize ─ crop ─ rgb or bgr ─ (v/255 − mean)/std ─▶ [H, W, 3] float32
 */

import { expectWhole, ShapeError } from '../errors.js';
import { createPicture, overWhite, type Picture, type Region } from './picture.js';
import { type Interpolation, type ResizeRows, resize } from './resize.js';

/** The preprocessing that a network was trained with. */
export interface Preprocessing {
  /** Short side of the input, in pixels. */
  readonly size: number;
  /**
   * The order of red, green and blue in the network's input. `grey`: its luminance,
   * 0.299 red + 0.587 green + 0.114 blue. `other`: something else; the network takes only tensors.
   */
  readonly channels: 'rgb' | 'bgr' | 'grey' | 'other';
  /** For each channel, in 0 … 1. A network that takes bytes as they are has std = 1/255. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly interpolation: Interpolation;
  /** The share of the resized picture's short side that a centre crop keeps; default 0.875. */
  readonly cropRatio?: number;
}

/** The preprocessing of torchvision and timm for ImageNet. */
export const IMAGENET_PREPROCESSING: Preprocessing = {
  size: 224,
  channels: 'rgb',
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  interpolation: 'bilinear',
};

/**
 * The preprocessing of Caffe, which Keras uses for its ResNets: blue first, bytes minus their mean. Source:
 * `preprocess_input` of keras.applications.resnet.
 */
export const CAFFE_PREPROCESSING: Preprocessing = {
  ...IMAGENET_PREPROCESSING,
  channels: 'bgr',
  mean: [103.939 / 255, 116.779 / 255, 123.68 / 255],
  std: [1 / 255, 1 / 255, 1 / 255],
};

/** Short names of preprocessings: a range, or the one that a framework's networks were trained with. */
export type PixelRange = 'imagenet' | 'caffe' | '0..1' | '-1..1' | '0..255';

/** Mean and deviation of each range, in 0 … 1. */
const RANGES = { '0..1': [0, 1], '-1..1': [0.5, 0.5], '0..255': [0, 1 / 255] } as const;

/** @throws {ShapeError} for `caffe`, which has three channels, and a network with another number */
export function preprocessingOfRange(range: PixelRange, channels: number): Partial<Preprocessing> {
  if (range === 'imagenet' || range === 'caffe') {
    if (range === 'caffe' && channels !== 3) {
      throw new ShapeError(`preprocess: caffe has 3 channels, the network ${channels}`);
    }
    const own = range === 'caffe' ? CAFFE_PREPROCESSING : defaultPreprocessing(channels);
    return { channels: own.channels, mean: own.mean, std: own.std };
  }
  const [mean, std] = RANGES[range].map((value) => new Array<number>(channels).fill(value));
  return { mean: mean!, std: std! };
}

/** The preprocessing of ImageNet for any number of channels; for one channel, the mean of the three. */
export function defaultPreprocessing(channels: number): Preprocessing {
  if (channels === 3) return IMAGENET_PREPROCESSING;
  const isGrey = channels === 1;
  const each = (value: number): number[] => new Array<number>(channels).fill(value);
  const [mean, std] = isGrey ? [[0.449], [0.226]] : [each(0), each(1)];
  return { ...IMAGENET_PREPROCESSING, channels: isGrey ? 'grey' : 'other', mean, std };
}

/** Which byte of a pixel becomes the network's channel c. The luminance is the first. */
export function channelOffset(channels: Preprocessing['channels'], c: number): number {
  return channels === 'bgr' ? 2 - c : c;
}

/**
 * How a picture is fitted to the input. `whole`: all of it, aspect ratio kept, short side = size, both
 * sides rounded to the network's stride. `crop`: resize the short side to size/cropRatio, keep the
 * centre square. `stretch`: all of it, squeezed into a square.
 */
export type Fit = 'whole' | 'crop' | 'stretch';

/** The position of the input in the picture. */
export interface Geometry {
  /** The whole picture resized, in pixels. */
  readonly resizedWidth: number;
  readonly resizedHeight: number;
  /** The part of the resized picture that becomes the input. */
  readonly window: Region;
  /** The same part in pixels of the picture as given; fractional. */
  readonly region: Region;
}

/** 224 of 256. */
const CROP_RATIO = 0.875;

/** With `whole` the long side is at most this many short sides; a thinner picture is squeezed. */
const MAX_ASPECT = 8;

/**
 * @param size short side of the input, or its height and width; then `whole` squeezes like `stretch`
 * @param stride the product of the network's strides; `whole` rounds both sides to a multiple of it
 * @throws {ShapeError} for a picture without pixels or a size below 1
 */
export function fitPicture(
  width: number,
  height: number,
  fit: Fit,
  size: number | readonly [H: number, W: number],
  cropRatio: number = CROP_RATIO,
  stride = 32,
): Geometry {
  const [H, W] = typeof size === 'number' ? [size, size] : size;
  expectWhole('fit', { width, height, size: Math.min(H, W) });
  if (fit === 'crop') {
    // The side that limits the picture; for a square, its shorter side.
    const isWide = width * H >= height * W;
    const side = Math.round((isWide ? H : W) / cropRatio);
    const bound = isWide ? height : width;
    const resizedWidth = Math.floor((side * width) / bound);
    const resizedHeight = Math.floor((side * height) / bound);
    const window = {
      x: Math.round((resizedWidth - W) / 2),
      y: Math.round((resizedHeight - H) / 2),
      width: W,
      height: H,
    };
    const perX = width / resizedWidth;
    const perY = height / resizedHeight;
    const region = {
      x: window.x * perX,
      y: window.y * perY,
      width: W * perX,
      height: H * perY,
    };
    return { resizedWidth, resizedHeight, window, region };
  }
  const short = Math.min(width, height);
  const isSqueezed = fit === 'stretch' || typeof size !== 'number';
  const side = (length: number, own: number): number =>
    isSqueezed ? own : roundTo(stride, own * Math.min(length / short, MAX_ASPECT));
  const resizedWidth = side(width, W);
  const resizedHeight = side(height, H);
  return {
    resizedWidth,
    resizedHeight,
    window: { x: 0, y: 0, width: resizedWidth, height: resizedHeight },
    region: { x: 0, y: 0, width, height },
  };
}

/**
 * Writes the network's input.
 *
 * @param out [window.height, window.width, channels]
 * @param picture RGBA; transparent pixels show white, as on a page
 * @param resizeRows the backend's version, if it has one
 * @throws {ShapeError} when the picture's data does not have 4·width·height bytes, or the network does
 * not take pictures
 */
export function preprocess(
  out: Float32Array,
  picture: Picture,
  { resizedWidth, resizedHeight, window }: Geometry,
  preprocessing: Preprocessing,
  resizeRows?: ResizeRows,
): void {
  const { channels, interpolation } = preprocessing;
  const source = channels === 'grey' ? luminanceOf(overWhite(picture)) : picture;
  const resized = resize(source, resizedWidth, resizedHeight, interpolation, window, resizeRows);
  writeInput(out, resized, preprocessing);
}

/**
 * The network's input from the pixels of its own size.
 *
 * @param out [H, W, channels]
 * @param resized [H, W, 4], of a grey network the luminance as the first of the four
 * @throws {ShapeError} when the network does not take pictures
 */
export function writeInput(
  out: Float32Array,
  resized: Uint8Array,
  { channels, mean, std }: Preprocessing,
): void {
  const C = mean.length;
  if (channels === 'other') {
    throw new ShapeError(
      `preprocess: the network takes ${C} channels: give it a tensor, no picture`,
    );
  }
  for (let c = 0; c < C; c++) {
    const scale = 1 / (255 * std[c]!);
    const shift = mean[c]! / std[c]!;
    const byte = channelOffset(channels, c);
    for (let i = byte, o = c; o < out.length; i += 4, o += C) {
      out[o] = resized[i]! * scale - shift;
    }
  }
}

/**
 * Luminance after ITU-R 601, in Pillow's fixed point (`convert('L')`), as the first channel of four.
 *
 * @param grey overwritten; a new picture by default, and it may be the picture itself
 */
export function luminanceOf(
  { data, width, height }: Picture,
  grey: Picture = createPicture(width, height),
): Picture {
  for (let p = 0; p < data.length; p += 4) {
    const sum = data[p]! * 19595 + data[p + 1]! * 38470 + data[p + 2]! * 7471;
    grey.data[p] = (sum + 0x8000) >> 16;
    grey.data[p + 3] = 255;
  }
  return grey;
}

function roundTo(stride: number, length: number): number {
  return Math.max(1, Math.round(length / stride)) * stride;
}
