/** The JavaScript side of assembly/maps.ts: saliency maps through a scratch of fixed size. */

import { NORMAL_CDF_TABLE_LENGTH, normalCdfTable } from '../../math/normal-cdf.js';
import type { MapKernels, MapView } from '../step.js';
import type { LinearMemory } from './linear-memory.js';

/** Scratch for the maps of a ResNet at inputs of some 500×500 and pictures 2,000 pixels wide. */
const SCRATCH_BYTES = 2 ** 19;

/** Bytes of a `Scale` of assembly/maps.ts. */
const SCALE_BYTES = 56;

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
}

/** The map kernels of a backend. Takes its scratch at once, so that no explanation grows the memory. */
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
      }
      const first = (end - scratch) / 4;
      for (let y0 = 0; y0 < H; y0 += rows) {
        const y1 = Math.min(y0 + rows, H);
        const n = maps.length;
        exports.sumUpsampled(end, scratch, n, H, W, y0, y1, x, y, width, height);
        out.set(floats.subarray(first, first + (y1 - y0) * W), y0 * W);
      }
      return true;
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
