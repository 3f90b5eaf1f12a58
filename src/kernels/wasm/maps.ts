/** The JavaScript side of assembly/maps.ts: saliency maps through a scratch of fixed size. */

import type { MapKernels, MapView } from '../kernels.js';
import { NORMAL_CDF_TABLE_LENGTH, normalCdfTable } from '../normal-cdf.js';
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

      let ptr = scratch;
      const take = (bytes: number): number => {
        ptr += bytes;
        return ptr - bytes;
      };
      const scales = take(tableBytes);
      for (const [i, map] of maps.entries()) {
        const [h, w] = map.shape as [number, number];
        const scale = take(SCALE_BYTES);
        const data = take(bytesOf(map));
        memory.floats(data, h * w).set(map.data.subarray(map.offset, map.offset + h * w));
        const [index, shares] = [take(rowBytes), take(2 * rowBytes)];
        const [upper, lower] = [take(rowBytes), take(rowBytes)];
        memory.words(scale, 7).set([data, h, w, index, shares, upper, lower]);
        memory.doubles(scale + 32, 1)[0] = weights[i]!;
        memory.words(scales + 4 * i, 1)[0] = scale;
      }
      const region = [x, y, width, height] as const;
      for (let begin = 0; begin < H; begin += rows) {
        const end = Math.min(begin + rows, H);
        exports.sumUpsampled(ptr, scales, maps.length, H, W, begin, end, ...region);
        out.set(memory.floats(ptr, (end - begin) * W), begin * W);
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
