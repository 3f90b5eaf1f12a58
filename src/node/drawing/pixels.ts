/** The JavaScript side of assembly/index.ts: the work for each pixel of a drawing. */

import { createPicture, type Picture, pixelsOf, type Size } from '../../image/picture.js';
import { bandOf, inBands, SLACK, scratch } from './scratch.js';

/** The bytes of any typed array. */
function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/**
 * The steps of a color map, as in `colorStep` of fastcam/viz, for values that are at most 1.
 *
 * @returns the greatest value, at least 1; NaN if a value is NaN
 */
export function writeSteps(out: Uint8Array, values: Float32Array): number {
  const band = bandOf(values.length, 4);
  const { k, regions } = scratch(band, 4 * band + SLACK);
  const [steps, floats] = regions as [Uint8Array, Uint8Array];
  const source = bytesOf(values);
  let most = 1;
  inBands(values.length, 4, (begin, end) => {
    floats.set(source.subarray(4 * begin, 4 * end));
    // The bytes after the last value are not values.
    floats.fill(0, 4 * (end - begin), 4 * (end - begin) + SLACK);
    most = Math.max(most, k.steps(steps.byteOffset, floats.byteOffset, end - begin));
    out.set(steps.subarray(0, end - begin), begin);
  });
  return most;
}

/**
 * Half the colors and half the picture: `overlay` of fastcam/viz at opacity 0.5, for an opaque picture.
 *
 * @param indices [height, width], into `colors`
 * @param colors RGBA [256, 4]
 */
export function mixHalf(picture: Picture, indices: Uint8Array, colors: Uint8Array): Picture {
  const { width, height } = picture;
  const mixed = createPicture(width, height);
  const [source, target] = [bytesOf(picture.data), bytesOf(mixed.data)];
  const band = bandOf(indices.length, 4);
  const { k, regions } = scratch(4 * band, 4 * band, band, colors.length);
  const [out, pixels, steps, table] = regions as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  table.set(colors);
  inBands(indices.length, 4, (begin, end) => {
    pixels.set(source.subarray(4 * begin, 4 * end));
    steps.set(indices.subarray(begin, end));
    const n = end - begin;
    k.mix(out.byteOffset, pixels.byteOffset, steps.byteOffset, table.byteOffset, n);
    target.set(out.subarray(0, 4 * n), 4 * begin);
  });
  return mixed;
}

/**
 * Rows as PNG stores them, by its filter Up.
 *
 * @param data [height, width] RGBA pixels, whose alpha is dropped, or indices
 * @returns [height, 1 + 3·width] or [height, 1 + width]
 */
export function upDifferences(data: Uint8Array | Uint8ClampedArray, size: Size): Uint8Array {
  const { width, height } = size;
  const source = bytesOf(data);
  const rowBytes = source.length / height;
  const isIndexed = rowBytes === width;
  const outBytes = 1 + (isIndexed ? 1 : 3) * width;
  const band = bandOf(height, rowBytes);
  const { k, regions } = scratch(band * outBytes, (1 + band) * rowBytes);
  const [out, rows] = regions as [Uint8Array, Uint8Array];
  const filter = isIndexed ? k.byteDifferences : k.rgbDifferences;
  const filtered = new Uint8Array(height * outBytes);
  inBands(height, rowBytes, (begin, end) => {
    // Above the first row all is 0.
    if (begin === 0) rows.fill(0, 0, rowBytes);
    else rows.set(source.subarray((begin - 1) * rowBytes, begin * rowBytes));
    rows.set(source.subarray(begin * rowBytes, end * rowBytes), rowBytes);
    filter(out.byteOffset, rows.byteOffset, end - begin, width);
    filtered.set(out.subarray(0, (end - begin) * outBytes), begin * outBytes);
  });
  return filtered;
}

/** 255 times this fits into 16 bits. */
const MOST_WEIGHT = 256;

/**
 * Each output pixel is the mean of the area that it covers, exact to one level. A source pixel that is shared by two
 * counts for each by the part that it covers. Rows are summed first, in 16-bit whole numbers; the weights of a sum
 * are 256 in all.
 *
 * @param picture opaque, no smaller than `size`, and less than 256 times as high
 */
export function shrinkPicture(picture: Picture, size: Size): Picture {
  const { width, height } = picture;
  if (width === size.width && height === size.height) return picture;
  const across = sharesOf(width, size.width);
  const step = height / size.height;
  // This many rows of the result at a time, with their source rows: neighbours share a row.
  const band = bandOf(size.height, 4 * width * (step + 1));
  const { k, regions } = scratch(
    ...[4 * size.width * band, 8 * (width + across.count), 4 * width * Math.ceil(band * step + 2)],
    ...[across.first.byteLength, across.weights.byteLength],
  );
  const [out, sums, rows, first, weights] = regions as [
    ...[Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array],
  ];
  first.set(bytesOf(across.first));
  const shares = new Float32Array(weights.buffer, weights.byteOffset, across.weights.length);
  const source = bytesOf(pixelsOf(picture));
  const shrunk = createPicture(size.width, size.height);
  const unit = Math.floor(MOST_WEIGHT / step);
  let counted = 0;
  for (let begin = 0; begin < size.height; begin += band) {
    const end = Math.min(size.height, begin + band);
    const seen = Math.floor(begin * step);
    rows.set(source.subarray(4 * seen * width, 4 * Math.ceil(end * step) * width));
    for (let oy = begin; oy < end; oy++) {
      const top = oy * step;
      const bottom = Math.min(height, top + step);
      sums.fill(0);
      let total = 0;
      for (let y = Math.floor(top); y < bottom; y++) {
        const weight = Math.round(unit * (Math.min(bottom, y + 1) - Math.max(top, y)));
        k.addRow(sums.byteOffset, rows.byteOffset + 4 * (y - seen) * width, width, weight);
        total += weight;
      }
      if (total !== counted) {
        for (let i = 0; i < shares.length; i++) shares[i] = across.weights[i]! / total;
        counted = total;
      }
      const to = out.byteOffset + 4 * (oy - begin) * size.width;
      const tables = [first.byteOffset, weights.byteOffset, across.count] as const;
      k.means(to, sums.byteOffset, size.width, ...tables);
    }
    shrunk.data.set(out.subarray(0, 4 * (end - begin) * size.width), 4 * begin * size.width);
  }
  return shrunk;
}

/** The weight of each source position for each output. */
function sharesOf(from: number, to: number) {
  const step = from / to;
  const count = Math.ceil(step) + 1;
  const first = new Int32Array(to);
  const weights = new Float32Array(to * count);
  for (let i = 0; i < to; i++) {
    const left = i * step;
    const right = Math.min(from, left + step);
    first[i] = Math.floor(left);
    for (let x = first[i]!; x < right; x++) {
      weights[i * count + x - first[i]!] = (Math.min(right, x + 1) - Math.max(left, x)) / step;
    }
  }
  return { first, weights, count };
}
