/** LOVI, class maps and the first pass of resizing in WebAssembly: the same bits as the core's own functions. */

import { createPicture, pixelsOf } from '../../image/picture.js';
import type { PictureKernels } from '../../kernels/index.js';
import { roomAt, roomFor, throughRows } from '../../kernels/wasm/maps.js';
import { checkCombination, type SaliencyMap } from '../../viz/index.js';
import { scalePositions } from '../../viz/lovi.js';
import { SMALLEST_SPAN } from '../../viz/normalize.js';
import { BAND_BYTES, bandOf, inBands, SLACK, scratch } from './scratch.js';

/** The offset of the hue position in a `LoviScale` of assembly/lovi.ts. */
const HUE_BYTE = 56;

export const PICTURE_KERNELS: PictureKernels = {
  classMaps(cam, fastcam, nonClass, saliency) {
    const band = 4 * bandOf(cam.length, 4);
    const { k, regions } = scratch(band + SLACK, band, band, band, 8);
    const [own, inClass, outside, whole, ends] = regions.map(
      ({ buffer, byteOffset, length }) => new Float32Array(buffer, byteOffset, length / 4),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    inBands(cam.length, 4, (begin, end) => {
      own.set(cam.subarray(begin, end));
      // Up to a whole vector.
      own.fill(Number.NaN, end - begin, end - begin + 3);
      k.extremes(ends.byteOffset, own.byteOffset, end - begin);
      least = Math.min(least, ends[0]!);
      most = Math.max(most, ends[1]!);
    });
    const span = Math.max(most - least, SMALLEST_SPAN);
    inBands(cam.length, 4, (begin, end) => {
      const n = end - begin;
      own.set(cam.subarray(begin, end));
      whole.set(saliency.subarray(begin, end));
      const out = [own.byteOffset, inClass.byteOffset, outside.byteOffset] as const;
      k.cross(...out, whole.byteOffset, n, least, span);
      cam.set(own.subarray(0, n), begin);
      fastcam.set(inClass.subarray(0, n), begin);
      nonClass.set(outside.subarray(0, n), begin);
    });
  },

  lovi(maps, [H, W], { x, y, width, height }) {
    const isWhole = isSeen(x, width, W) && isSeen(y, height, H);
    if (!isWhole || maps.some(({ data }) => data.some(Number.isNaN))) return undefined;
    checkCombination('lovi', maps as SaliencyMap[], [H, W], 'equal', { x, y, width, height });
    const picture = createPicture(W, H);
    const out = pixelsOf(picture);
    const positions = scalePositions(maps.length);
    const bytes = 8 * Math.ceil((roomFor(W, maps) + BAND_BYTES) / 8);
    const { k, regions } = scratch(bytes);
    const { buffer, byteOffset: ptr } = regions[0]!;
    const room = roomAt(buffer, ptr, bytes);
    const ones = positions.map(() => 1);
    const isDone = throughRows(room, [H, W], maps, ones, (rows, begin, end) => {
      for (const [i, position] of positions.entries()) {
        room.doubles[(room.words[i]! + HUE_BYTE - ptr) / 8] = position;
      }
      k.lovi(rows, ptr, maps.length, W, begin, end, x, y, width, height);
      const first = (rows - ptr) / 4;
      out.set(room.words.subarray(first, first + (end - begin) * W), begin * W);
    });
    return isDone ? picture : undefined;
  },

  resizeRows(out, x, extent, { first, count, weights, most }) {
    const outputs = first.length;
    const rows = x.length / extent;
    const band = bandOf(rows, 4 * extent);
    const lengths = [4 * band * extent, 4 * band * outputs];
    const tables = [first, count, weights];
    const { k, regions } = scratch(...lengths, ...tables.map(({ byteLength }) => byteLength));
    const [some, resized, ...places] = regions.map(
      ({ buffer, byteOffset, length }) => new Int32Array(buffer, byteOffset, length / 4),
    ) as [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];
    for (const [i, table] of tables.entries()) places[i]!.set(table);
    const [firsts, counts, shares] = places.map(({ byteOffset }) => byteOffset) as [
      number,
      number,
      number,
    ];
    for (let begin = 0; begin < rows; begin += band) {
      const n = Math.min(band, rows - begin);
      some.set(x.subarray(begin * extent, (begin + n) * extent));
      const at = [resized.byteOffset, some.byteOffset] as const;
      // A picture that is not opaque is left to the core.
      if (!k.resizeRows(...at, n, extent, outputs, firsts, counts, shares, most)) return false;
      out.set(resized.subarray(0, n * outputs), begin * outputs);
    }
    return true;
  },
};

/** Whether the centres of the first and the last pixel are inside. */
function isSeen(start: number, length: number, extent: number): boolean {
  return Math.ceil(start - 0.5) <= 0 && Math.ceil(start + length - 0.5) >= extent;
}
