/** The picture kernels do what the core does, byte for byte, or leave it alone. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { classMaps } from '../../../src/methods/index.js';
import { resize } from '../../../src/model/index.js';
import { PICTURE_KERNELS } from '../../../src/node/drawing/picture-kernels.js';
import { createPicture, lovi, toNdArray } from '../../../src/viz/index.js';

const KERNELS = { pictures: PICTURE_KERNELS };

const extent = fc.integer({ min: 1, max: 40 });
const value = fc.float({ min: -10, max: 10 });

/** Maps with a NaN here and there. */
const map = fc
  .tuple(
    extent,
    extent.filter((w) => w > 1),
  )
  .chain(([h, w]) => {
    const values = fc.array(value, { minLength: h * w, maxLength: h * w });
    return values.map((data) => toNdArray(Float32Array.from(data), [h, w]));
  });

const offset = fc.double({ min: -9, max: 9, noNaN: true });
const length = fc.double({ min: 0.5, max: 90, noNaN: true });
const region = fc.record({ x: offset, y: offset, width: length, height: length });

it('make the maps of a class with the same bits as the portable code, NaN where the network did not see', () => {
  const size = fc.constantFrom([1, 1], [7, 5], [301, 223]);
  const part = fc.option(region, { nil: undefined });
  fc.assert(
    fc.property(size, part, fc.nat(), (size, part, seed) => {
      const [H, W] = size as [number, number];
      const random = (n: number, at: number): Float32Array =>
        Float32Array.from({ length: n }, (_, i) => Math.sin((seed % 997) + 12.9898 * (i + at)));
      const combined = toNdArray(random(H * W, 1), [H, W]);
      const whole = { x: 0, y: 0, width: W, height: H };
      const maps = [{}, KERNELS].map((kernels) => {
        const coarse = random(3 * 4, 2).map(Math.abs);
        return classMaps(combined, coarse, [3, 4], part ?? whole, kernels);
      });
      for (const name of ['camMap', 'fastcamMap', 'nonClassMap'] as const) {
        const expected = maps[0]![name].data;
        expect(maps[1]![name].data.every((value, i) => Object.is(value, expected[i]))).toBe(true);
      }
    }),
    { numRuns: 12 },
  );
});

it('paint any maps, over any region, with the same bytes as lovi', () => {
  const size = fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 150 }));
  const some = fc.array(map, { minLength: 1, maxLength: 6 });
  const low = fc.double({ min: 0.01, max: 1, noNaN: true });
  fc.assert(
    fc.property(some, low, size, fc.option(region, { nil: undefined }), (raw, by, size, part) => {
      const maps = raw.map(({ data, shape }) =>
        toNdArray(
          data.map((value) => by * value),
          shape,
        ),
      );
      const whole = { x: 0, y: 0, width: size[1], height: size[0] };
      const painted =
        PICTURE_KERNELS.lovi(maps, size, part ?? whole) ?? lovi(maps, size, part ?? whole);
      expect(Buffer.from(painted.data).equals(Buffer.from(lovi(maps, size, part).data))).toBe(true);
    }),
  );
});

it('paint black where nothing is salient, and no color where a map is NaN', () => {
  const size = [9, 7] as const;
  const whole = { x: 0, y: 0, width: 7, height: 9 };
  const maps = [new Float32Array(6), Float32Array.of(0, 0, 0, 0.5, NaN, 1)];
  for (const data of maps) {
    const scales = [toNdArray(data, [2, 3]), toNdArray(new Float32Array(6), [3, 2])];
    expect(PICTURE_KERNELS.lovi(scales, size, whole) ?? lovi(scales, size, whole)).toEqual(
      lovi(scales, size, whole),
    );
  }
});

it('resize any picture with the same bytes as the portable code, also transparent ones', () => {
  const side = fc.integer({ min: 1, max: 60 });
  const alpha = fc.constantFrom(255, 255, 255, 254, 0);
  const interpolation = fc.constantFrom('bilinear' as const, 'bicubic' as const);
  fc.assert(
    fc.property(side, side, side, side, alpha, interpolation, fc.nat(), (w, h, W, H, a, by, at) => {
      const picture = createPicture(w, h);
      picture.data.forEach((_, i) => {
        picture.data[i] = i % 4 === 3 ? 255 : ((i * 40503) >>> (at % 8)) & 255;
      });
      picture.data[4 * (at % (w * h)) + 3] = a;
      const portable = resize(picture, W, H, by);
      expect(resize(picture, W, H, by, undefined, PICTURE_KERNELS.resizeRows)).toEqual(portable);
    }),
  );
});

it('resize rows in several parts if they do not fit at once', () => {
  const picture = createPicture(3001, 97);
  picture.data.forEach((_, i) => {
    picture.data[i] = i % 4 === 3 ? 255 : ((i * 40503) >>> 7) & 255;
  });
  const portable = resize(picture, 33, 12, 'bilinear');
  expect(resize(picture, 33, 12, 'bilinear', undefined, PICTURE_KERNELS.resizeRows)).toEqual(
    portable,
  );
  picture.data.fill(0, 4 * 3001 * 90, 4 * 3001 * 91);
  const see = resize(picture, 33, 12, 'bilinear');
  expect(see).not.toEqual(portable);
  expect(resize(picture, 33, 12, 'bilinear', undefined, PICTURE_KERNELS.resizeRows)).toEqual(see);
});
