/** The JavaScript side of assembly/maps.ts: saliency maps, with a scratch of fixed size. */

import { NORMAL_CDF_TABLE_LENGTH, normalCdfTable } from '../../math/normal-cdf.js';
import type { MapKernels, MapView } from '../step.js';
import type { LinearMemory } from './linear-memory.js';

/** Enough scratch for the maps of a ResNet at inputs of about 500×500 and pictures 2,000 pixels wide. */
const SCRATCH_BYTES = 2 ** 19;

/** Bytes of a `Scale` of assembly/maps.ts, of which it uses 56. */
const SCALE_BYTES = 64;

/** The most picture rows in one call, if they fit. */
const MOST_ROWS = 64;

/** What assembly/maps.ts exports. */
export interface MapExports {
  normalizeGaussian(xPtr: number, n: number, tablePtr: number): number;
  sumUpsampled(
    outPtr: number,
    scalesPtr: number,
    n: number,
    H: number,
    W: number,
    begin: number,
    end: number,
    x: number,
    y: number,
    width: number,
    height: number,
  ): void;
}

/** The map kernels of a backend. Allocates its scratch at once, so that no explanation grows the memory. */
export function wasmMapKernels(memory: LinearMemory, exports: MapExports): MapKernels {
  const scratch = memory.allocate(SCRATCH_BYTES);
  const table = memory.allocate(8 * NORMAL_CDF_TABLE_LENGTH);
  let hasTable = false;
  return {
    bytes: SCRATCH_BYTES + 8 * NORMAL_CDF_TABLE_LENGTH,

    normalizeGaussian(out, x) {
      if (x.byteLength > SCRATCH_BYTES) return false;
      if (!hasTable) memory.doubles(table, NORMAL_CDF_TABLE_LENGTH).set(normalCdfTable());
      hasTable = true;
      memory.floats(scratch, x.length).set(x);
      if (!exports.normalizeGaussian(scratch, x.length, table)) return false;
      out.set(memory.floats(scratch, x.length));
      return true;
    },

    sumUpsampled(out, [H, W], maps, weights, { x, y, width, height }) {
      const room = roomAt(memory.words(scratch, 1).buffer, scratch, SCRATCH_BYTES);
      return throughRows(room, [H, W], maps, weights, (rows, begin, end) => {
        const size = [maps.length, H, W] as const;
        exports.sumUpsampled(rows, scratch, ...size, begin, end, x, y, width, height);
        const first = (rows - scratch) / 4;
        out.set(room.floats.subarray(first, first + (end - begin) * W), begin * W);
      });
    },
  };
}

/** A region of a memory, starting at `ptr`. */
export interface Room {
  readonly ptr: number;
  readonly words: Int32Array;
  readonly floats: Float32Array;
  readonly doubles: Float64Array;
}

export function roomAt(buffer: ArrayBufferLike, ptr: number, bytes: number): Room {
  return {
    ptr,
    words: new Int32Array(buffer, ptr, bytes / 4),
    floats: new Float32Array(buffer, ptr, bytes / 4),
    doubles: new Float64Array(buffer, ptr, bytes / 8),
  };
}

/** Bytes that `throughRows` needs for one row of the picture at a time. */
export function roomFor(W: number, maps: readonly MapView[]): number {
  const perScale = SCALE_BYTES + 5 * rowBytes(W) + 8;
  return maps.reduce((sum, map) => sum + bytesOf(map) + perScale, 8 + 4 * 7 + 4 * W);
}

/**
 * Writes maps as `Scale`s of assembly/maps.ts, then runs over the rows of a picture, as many at a time as fit. The
 * addresses of the scales come first in the region.
 *
 * @param run receives the address for its rows, and which rows they are
 * @returns false for maps that are not supported or do not fit
 */
export function throughRows(
  { ptr, words, floats, doubles }: Room,
  [H, W]: readonly [number, number],
  maps: readonly MapView[],
  weights: readonly number[],
  run: (rows: number, begin: number, end: number) => void,
): boolean {
  const free = 4 * words.length - roomFor(W, maps);
  const rows = Math.min(1 + Math.floor(free / (4 * W)), MOST_ROWS);
  if (rows < 1 || !maps.every(isTaken)) return false;
  // The region is in use up to here.
  let end = ptr + 8 * Math.ceil(maps.length / 2);
  const take = (bytes: number): number => {
    end += bytes;
    return end - bytes;
  };
  for (let i = 0; i < maps.length; i++) {
    const { data, shape, offset } = maps[i]!;
    const [h, w] = shape as [number, number];
    const scale = take(SCALE_BYTES);
    const copy = take(bytesOf(maps[i]!));
    floats.set(data.subarray(offset, offset + h * w), (copy - ptr) / 4);
    words[i] = scale;
    const row = rowBytes(W);
    words.set([copy, h, w, take(row), take(2 * row), take(row), take(row)], (scale - ptr) / 4);
    doubles[(scale - ptr) / 8 + 4] = weights[i]!;
  }
  for (let y = 0; y < H; y += rows) run(end, y, Math.min(y + rows, H));
  return true;
}

/** Bytes of a row of doubles at the picture's width. */
function rowBytes(W: number): number {
  return 8 * (W + 7);
}

/** Bytes of a map, rounded up to whole doubles. */
function bytesOf({ shape }: MapView): number {
  return 8 * Math.ceil((shape[0]! * shape[1]!) / 2);
}

/** Whether a map is row-major and has at least two columns. */
function isTaken({ shape, stride }: MapView): boolean {
  return stride[1] === 1 && stride[0] === shape[1] && shape[1]! > 1;
}
