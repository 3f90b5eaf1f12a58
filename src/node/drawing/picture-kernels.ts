/** LOVI and the first pass of resizing in WebAssembly: the same bytes as the core's own functions. */

import { createPicture, pixelsOf } from '../../image/picture.js';
import type { PictureKernels } from '../../kernels/index.js';
import { roomAt, roomFor, throughRows } from '../../kernels/wasm/maps.js';
import { checkCombination, type SaliencyMap, scalePositions } from '../../viz/index.js';
import { scratch } from './scratch.js';

/** The offset of the hue position in a `LoviScale` of assembly/lovi.ts. */
const HUE_BYTE = 56;
/** Bytes of a picture to process at a time; a row may have more. */
const BAND_BYTES = 2 ** 18;

export const PICTURE_KERNELS: PictureKernels = {
  classMaps(cam, fastcam, nonClass, saliency, smallestSpan) {
    const band = BAND_BYTES / 4;
    const { k, regions } = scratch(...Array(5).fill(BAND_BYTES));
    const [own, where, not, of, ends] = regions.map(
      ({ buffer, byteOffset }) => new Float32Array(buffer, byteOffset, band),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < cam.length; i += band) {
      const part = cam.subarray(i, i + band);
      own.set(part);
      own.fill(Number.NaN, part.length, part.length + 3);
      k.extremes(ends.byteOffset, own.byteOffset, part.length);
      least = Math.min(least, ends[0]!);
      most = Math.max(most, ends[1]!);
    }
    const span = Math.max(most - least, smallestSpan);
    for (let i = 0; i < cam.length; i += band) {
      const n = Math.min(band, cam.length - i);
      own.set(cam.subarray(i, i + n));
      of.set(saliency.subarray(i, i + n));
      const out = [own.byteOffset, where.byteOffset, not.byteOffset] as const;
      k.cross(...out, of.byteOffset, n, least, span);
      cam.set(own.subarray(0, n), i);
      fastcam.set(where.subarray(0, n), i);
      nonClass.set(not.subarray(0, n), i);
    }
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
    const band = Math.max(1, Math.floor(BAND_BYTES / (4 * extent)));
    const lengths = [4 * band * extent, 4 * band * outputs];
    const tables = [first, count, weights];
    const { k, regions } = scratch(...lengths, ...tables.map(({ byteLength }) => byteLength));
    const [some, resized, ...places] = regions.map(
      ({ buffer, byteOffset, length }) => new Int32Array(buffer, byteOffset, length >> 2),
    ) as [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];
    for (const [i, table] of tables.entries()) places[i]!.set(table);
    const [firsts, counts, shares] = places.map(({ byteOffset }) => byteOffset) as [
      number,
      number,
      number,
    ];
    let isOpaque = 1;
    for (let from = 0, to = 0; isOpaque && from < x.length; from += band * extent) {
      const part = x.subarray(from, from + band * extent);
      const rows = part.length / extent;
      some.set(part);
      const at = [resized.byteOffset, some.byteOffset] as const;
      isOpaque = k.resizeRows(...at, rows, extent, outputs, firsts, counts, shares, most);
      out.set(resized.subarray(0, rows * outputs), to);
      to += rows * outputs;
    }
    return isOpaque === 1;
  },
};

/** Whether the centres of the first and the last pixel are inside. */
function isSeen(start: number, length: number, extent: number): boolean {
  return Math.ceil(start - 0.5) <= 0 && Math.ceil(start + length - 0.5) >= extent;
}
