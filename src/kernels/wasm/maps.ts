/** The JavaScript side of assembly/maps.ts and assembly/resize.ts: maps and pictures through a scratch of fixed size. */

import { NORMAL_CDF_TABLE_LENGTH, normalCdfTable } from '../../math/normal-cdf.js';
import type { MapKernels, MapView } from '../step.js';
import type { LinearMemory } from './linear-memory.js';

/** Scratch for the maps of a ResNet at inputs of some 500×500 and pictures 2,000 pixels wide. */
const SCRATCH_BYTES = 2 ** 19;

/** Bytes of a `Scale` of assembly/maps.ts. */
const SCALE_BYTES = 64;

/** Picture rows in a turn, where so many fit. */
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
  lovi(...rows: Parameters<MapExports['sumUpsampled']>): number;
  resizeRows(
    outPtr: number,
    xPtr: number,
    rows: number,
    extent: number,
    outputs: number,
    firstPtr: number,
    countPtr: number,
    weightsPtr: number,
    most: number,
  ): number;
}

/** The map kernels of a backend. Takes its scratch at once, so that no explanation grows the memory. */
export function wasmMapKernels(memory: LinearMemory, exports: MapExports): MapKernels {
  const scratch = memory.allocate(SCRATCH_BYTES);
  const table = memory.allocate(8 * NORMAL_CDF_TABLE_LENGTH);
  let hasTable = false;

  /** Lays the maps out as `Scale`s, and runs over the picture as many rows at a time as there is room for. */
  function throughRows(
    [H, W]: readonly [number, number],
    maps: readonly MapView[],
    weights: readonly number[],
    positions: readonly number[],
    run: (ptr: number, begin: number, end: number) => boolean,
  ): boolean {
    if (!maps.every(isTaken)) return false;
    const rowBytes = 8 * (W + 7);
    const tableBytes = 8 * Math.ceil(maps.length / 2);
    const perScale = SCALE_BYTES + 5 * rowBytes;
    const dataBytes = maps.reduce((sum, map) => sum + bytesOf(map), 0);
    const fixedBytes = tableBytes + maps.length * perScale + dataBytes + 4 * 7;
    const rows = Math.min(Math.floor((SCRATCH_BYTES - fixedBytes) / (4 * W)), MOST_ROWS);
    if (rows < 1) return false;

    const words = memory.words(scratch, SCRATCH_BYTES / 4);
    const doubles = memory.doubles(scratch, SCRATCH_BYTES / 8);
    const floats = memory.floats(scratch, SCRATCH_BYTES / 4);
    // The scratch is taken up to here.
    let end = scratch + tableBytes;
    const take = (bytes: number): number => {
      end += bytes;
      return end - bytes;
    };
    for (let i = 0; i < maps.length; i++) {
      const { data, shape, offset } = maps[i]!;
      const [h, w] = shape as [number, number];
      const scale = take(SCALE_BYTES);
      const copy = take(bytesOf(maps[i]!));
      floats.set(data.subarray(offset, offset + h * w), (copy - scratch) / 4);
      words[i] = scale;
      const parts = [take(rowBytes), take(2 * rowBytes), take(rowBytes), take(rowBytes)];
      words.set([copy, h, w, ...parts], (scale - scratch) / 4);
      doubles[(scale - scratch) / 8 + 4] = weights[i]!;
      doubles[(scale - scratch) / 8 + 7] = positions[i] ?? 0;
    }
    let isDone = true;
    for (let begin = 0; isDone && begin < H; begin += rows) {
      isDone = run(end, begin, Math.min(begin + rows, H));
    }
    return isDone;
  }

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
      return throughRows([H, W], maps, weights, [], (ptr, begin, end) => {
        exports.sumUpsampled(ptr, scratch, maps.length, H, W, begin, end, x, y, width, height);
        out.set(memory.floats(ptr, (end - begin) * W), begin * W);
        return true;
      });
    },

    lovi(out, [H, W], maps, positions, { x, y, width, height }) {
      if (maps.some(({ data }) => data.some(Number.isNaN))) return false;
      const ones = positions.map(() => 1);
      return throughRows([H, W], maps, ones, positions, (ptr, begin, end) => {
        const size = [maps.length, H, W] as const;
        const isDone = exports.lovi(ptr, scratch, ...size, begin, end, x, y, width, height) !== 0;
        if (isDone) out.set(memory.words(ptr, (end - begin) * W), begin * W);
        return isDone;
      });
    },

    resizeRows(out, x, extent, { first, count, weights, most }) {
      const outputs = first.length;
      const tables = 2 * outputs + weights.length;
      const rows = Math.floor((SCRATCH_BYTES / 4 - tables) / (extent + outputs));
      if (rows < 1) return false;
      const words = memory.words(scratch, SCRATCH_BYTES / 4);
      words.set(first);
      words.set(count, outputs);
      words.set(weights, 2 * outputs);
      const to = tables + rows * extent;
      const at = (word: number): number => scratch + 4 * word;
      const pointers = [at(0), at(outputs), at(2 * outputs)] as const;
      let isOpaque = 1;
      for (let from = 0, o = 0; isOpaque && from < x.length; from += rows * extent) {
        const some = x.subarray(from, from + rows * extent);
        const n = some.length / extent;
        words.set(some, tables);
        isOpaque = exports.resizeRows(at(to), at(tables), n, extent, outputs, ...pointers, most);
        out.set(words.subarray(to, to + n * outputs), o);
        o += n * outputs;
      }
      return isOpaque === 1;
    },
  };
}

/** Rounded up to whole doubles. */
function bytesOf({ shape }: MapView): number {
  return 8 * Math.ceil((shape[0]! * shape[1]!) / 2);
}

/** Row by row, of two columns at least. */
function isTaken({ shape, stride }: MapView): boolean {
  return stride[1] === 1 && stride[0] === shape[1] && shape[1]! > 1;
}
