import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { Picture } from '../../../src/image/picture.js';
import { FORMATS } from '../../../src/node/drawing/encode.js';
import { heat, type IndexedPicture, toPicture } from '../../../src/node/drawing/heat.js';
import { decodePicture } from '../../../src/node/pictures/decode.js';
import { colorize, toNdArray } from '../../../src/viz/index.js';

const side = fc.integer({ min: 1, max: 9 });

test.prop([side, side, fc.infiniteStream(fc.integer({ min: 0, max: 255 }))])(
  'what is written as PNG is read as the same pixels, opaque',
  async (width, height, levels) => {
    const data = Uint8ClampedArray.from({ length: 4 * width * height }, () => levels.next().value);
    const back = await decodePicture(await FORMATS.png.encode({ data, width, height }), 'encoded');
    expect([back.width, back.height]).toEqual([width, height]);
    const opaque = data.map((level, i) => (i % 4 === 3 ? 255 : level));
    expect([...back.data]).toEqual([...opaque]);
  },
);

test.prop([
  side,
  side,
  fc.infiniteStream(fc.integer({ min: 0, max: 1000 })),
  fc.constantFrom(1, 2),
])(
  'a heat map is written as the pixels that colorize gives it, its largest value as 1 where that is more',
  async (width, height, values, most) => {
    const data = Float32Array.from({ length: width * height }, () => values.next().value / 1000);
    data[0] = 1;
    const map = toNdArray(data, [height, width]);
    const expected = colorize(map, 'viridis');
    const scaled = toNdArray(
      data.map((value) => most * value),
      [height, width],
    );
    const drawn = heat(scaled, 'viridis');
    expect('indices' in drawn).toBe(true);
    const back = await decodePicture(await FORMATS.png.encode(drawn), 'encoded');
    expect([...back.data]).toEqual([...expected.data]);
    expect([...toPicture(drawn as IndexedPicture).data]).toEqual([...expected.data]);
  },
);

test('a heat map with pixels that were not seen has their grey', async () => {
  const map = toNdArray(Float32Array.of(0.5, Number.NaN, 1, 0), [2, 2]);
  const back = await decodePicture(await FORMATS.png.encode(heat(map, 'jet')), 'encoded');
  expect([...back.data]).toEqual([...colorize(map, 'jet').data]);
});

/** A picture of slow waves, which lossy formats keep. */
function waves(width: number, height: number): Picture {
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let i = 0; i < data.length; i += 4) {
    const x = (i / 4) % width;
    const y = Math.floor(i / 4 / width);
    data.set([128 + 90 * Math.sin(x / 9), 128 + 90 * Math.cos(y / 7), 128 + x - y], i);
  }
  return { data, width, height };
}

describe('lossy formats', () => {
  test.each([['jpeg', 'jpg']] as const)(
    '%s keeps the pixels to 4 levels on average, one after the other',
    async (format, ending) => {
      expect(FORMATS[format].ending).toBe(ending);
      for (const picture of [waves(96, 64), waves(33, 70)]) {
        const back = await decodePicture(await FORMATS[format].encode(picture), 'encoded');
        expect([back.width, back.height]).toEqual([picture.width, picture.height]);
        let sum = 0;
        for (const [i, level] of picture.data.entries()) sum += Math.abs(level - back.data[i]!);
        expect((sum * 4) / 3 / picture.data.length).toBeLessThan(4);
      }
    },
  );
});
