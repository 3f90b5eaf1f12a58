/** What the caller provides: the rows of a picture, and room for the features. */

import { expectWhole, refuseKind } from '../errors.js';
import type { Picture } from '../image/index.js';

/** A picture that is read in strips, top to bottom. */
export interface PictureReader {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** Rows `top` … `top + rows − 1`, over the whole width, RGBA. */
  read(top: number, rows: number): Picture | Promise<Picture>;
}

/** Room for the features of the whole picture. They are needed again, because the class is known only at the end. */
export interface FeatureStore {
  /** Adds values after the others. The array may be used again. */
  append(values: Float32Array): void;
  /** Copies the values from `begin` on into `out`. */
  read(out: Float32Array, begin: number): void;
}

/** Keeps the features in memory: 2048 channels of a ResNet-50 are 8 kB for each 32×32 pixels. */
export function memoryStore(): FeatureStore {
  const parts: { readonly begin: number; readonly values: Float32Array }[] = [];
  let length = 0;
  return {
    append(values) {
      parts.push({ begin: length, values: values.slice() });
      length += values.length;
    },
    read(out, first) {
      for (const { begin, values } of parts) {
        const from = Math.max(first - begin, 0);
        const to = Math.min(first + out.length - begin, values.length);
        if (from < to) out.set(values.subarray(from, to), begin + from - first);
      }
    },
  };
}

/** @throws {TypeError} for anything but a reader, {ShapeError} for extents that are not whole numbers ≥ 1 */
export function checkReader(reader: PictureReader): void {
  if (typeof reader?.read !== 'function') {
    refuseKind('explainTiled: reader', '{ width, height, read(top, rows) }', reader);
  }
  expectWhole('explainTiled', { width: reader.width, height: reader.height });
}
