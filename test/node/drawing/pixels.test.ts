/** What is done for each pixel of a drawing is what fastcam/viz does, also where a picture takes several turns. */

import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { createPicture } from '../../../src/image/picture.js';
import {
  mixHalf,
  shrinkPicture,
  upDifferences,
  writeSteps,
} from '../../../src/node/drawing/pixels.js';
import { colormapTable, colorStep } from '../../../src/viz/colormap.js';
import { overlay, toNdArray } from '../../../src/viz/index.js';

/** A few pixels, and as many as take several turns. */
const size = fc.constantFrom([1, 1], [3, 2], [17, 5], [641, 259], [9, 20_011], [70_001, 2]);
const seed = fc.integer({ min: 1, max: 1 << 20 });

/** Numbers 0 … 1 without an order. */
function noise(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  });
}

function noisyPicture([width, height]: readonly number[], seed: number) {
  const picture = createPicture(width!, height!);
  noise(picture.data.length, seed).forEach((value, i) => {
    picture.data[i] = i % 4 === 3 ? 255 : 256 * value;
  });
  return picture;
}

const isSame = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  Buffer.from(a as Uint8Array).equals(Buffer.from(b as Uint8Array));

test.prop([size, seed], { numRuns: 12 })(
  'steps are those of the color map, and the greatest value is told',
  ([width, height], seed) => {
    const values = noise(width! * height!, seed).map((value) => 1.2 * value - 0.2);
    const steps = new Uint8Array(values.length);
    expect(writeSteps(steps, values)).toBe(1);
    expect(isSame(steps, Uint8Array.from(values, colorStep))).toBe(true);
    const at = seed % values.length;
    values[at] = 3.5;
    expect(writeSteps(steps, values)).toBe(3.5);
    values[at] = Number.NaN;
    expect(writeSteps(steps, values)).toBeNaN();
    // What a longer run has left behind is no value of a shorter one.
    expect(writeSteps(new Uint8Array(1), Float32Array.of(0.5))).toBe(1);
  },
);

test.prop([size, seed], { numRuns: 12 })('an overlay is that of fastcam/viz', (size, seed) => {
  const picture = noisyPicture(size, seed);
  const values = noise(size[0]! * size[1]!, seed + 1);
  const steps = new Uint8Array(values.length);
  writeSteps(steps, values);
  const drawn = mixHalf(picture, steps, colormapTable('viridis'));
  const expected = overlay(picture, toNdArray(values, [size[1]!, size[0]!]));
  expect(isSame(drawn.data, expected.data)).toBe(true);
});

test.prop([size, seed, fc.boolean()], { numRuns: 12 })(
  'rows are differences to the row above, led by their filter',
  ([width, height], seed, isIndexed) => {
    const picture = noisyPicture([width!, height!], seed);
    const data = isIndexed ? picture.data.filter((_, i) => i % 4 === 0) : picture.data;
    const rows = upDifferences(data, picture);
    const n = isIndexed ? width! : 3 * width!;
    const level = (y: number, i: number): number =>
      y < 0
        ? 0
        : data[y * (data.length / height!) + (isIndexed ? i : 4 * Math.floor(i / 3) + (i % 3))]!;
    const expected = Uint8Array.from({ length: height! * (1 + n) }, (_, o) => {
      const [y, i] = [Math.floor(o / (1 + n)), (o % (1 + n)) - 1];
      return i < 0 ? 2 : level(y, i) - level(y - 1, i);
    });
    expect(isSame(rows, expected)).toBe(true);
  },
);

test.prop([fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 255 })], { numRuns: 20 })(
  'a picture of one color keeps it when it is shrunk',
  (part, level) => {
    const picture = createPicture(4001, 203);
    picture.data.fill(level);
    const { data } = shrinkPicture(picture, {
      width: 467 * part > 4001 ? 4001 : 467 * part,
      height: 20 * part,
    });
    expect(data.every((value, i) => value === (i % 4 === 3 ? 255 : level))).toBe(true);
  },
);
