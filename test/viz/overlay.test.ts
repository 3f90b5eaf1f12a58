import fc from 'fast-check';
import ndarray from 'ndarray';
import ops from 'ndarray-ops';
import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import type { Picture } from '../../src/image/picture.js';
import { type Colormap, colorize } from '../../src/viz/colormap.js';
import { keepMask } from '../../src/viz/mask.js';
import { type SaliencyMap, toNdArray } from '../../src/viz/ndarray.js';
import { hardMask, overlay, softMask } from '../../src/viz/overlay.js';
import { asNdarray, map, picture, unitMap } from './arbitraries.js';

/** A channel of a picture as a strided view [H, W], no copy. */
function channel({ data, width, height }: Picture, c: number) {
  return ndarray(data as Uint8Array, [height, width], [4 * width, 4], c);
}

/** A picture for a map of its size. */
function pictureFor(source: SaliencyMap): Picture {
  return picture(source.shape[1]!, source.shape[0]!);
}

/** max |ours − oracle| over the red, green and blue of a picture. */
function distance(ours: Picture, oracle: (c: number) => ndarray.NdArray<Float64Array>): number {
  let largest = 0;
  for (let c = 0; c < 3; c++) {
    const difference = oracle(c);
    ops.subeq(difference, channel(ours, c));
    largest = Math.max(largest, ops.norminf(difference));
  }
  return largest;
}

const fresh = (source: SaliencyMap) =>
  asNdarray(toNdArray(new Float64Array(source.size), source.shape));

describe('overlay', () => {
  test('is opacity·color + (1 − opacity)·picture by ndarray-ops, rounded', () => {
    const name = fc.constantFrom<Colormap>('viridis', 'cividis', 'jet');
    const opacities = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(unitMap(7), name, opacities, (source, colormap, opacity) => {
        const below = pictureFor(source);
        const colors = colorize(source, colormap);
        const oracle = (c: number) => {
          const [sum, term] = [fresh(source), fresh(source)];
          ops.muls(sum, channel(below, c), 1 - opacity);
          ops.muls(term, channel(colors, c), opacity);
          ops.addeq(sum, term);
          return sum;
        };
        const ours = overlay(below, source, { colormap, opacity });
        expect(distance(ours, oracle)).toBeLessThanOrEqual(0.5 + 1e-9);
      }),
    );
  });

  test('with opacity 0 is the picture, with 1 the colours alone', () => {
    fc.assert(
      fc.property(unitMap(5), (source) => {
        const below = pictureFor(source);
        const clear = overlay(below, source, { opacity: 0 });
        expect([...clear.data]).toEqual([...below.data]);
        const opaque = { ...below, data: below.data.map((byte, i) => (i % 4 === 3 ? 255 : byte)) };
        expect(overlay(opaque, source, { opacity: 1 })).toEqual(colorize(source));
      }),
    );
  });

  test('refuses an opacity outside of [0, 1] and unknown colours', () => {
    const source = map([1, 1], [1]);
    for (const opacity of [-0.1, 1.1, NaN]) {
      expect(() => overlay(picture(1, 1), source, { opacity })).toThrow(ShapeError);
    }
    const colormap = 'hot' as Colormap;
    expect(() => overlay(picture(1, 1), source, { colormap })).toThrow(TypeError);
  });
});

describe('masks over a picture', () => {
  test('softMask is picture · map by ndarray-ops, rounded', () => {
    fc.assert(
      fc.property(unitMap(7), (source) => {
        const below = pictureFor(source);
        const oracle = (c: number) => {
          const product = fresh(source);
          ops.mul(product, channel(below, c), asNdarray(source));
          return product;
        };
        expect(distance(softMask(below, source), oracle)).toBeLessThanOrEqual(0.5 + 1e-9);
      }),
    );
  });

  test('hardMask is the picture where the mask is not 0, and black elsewhere', () => {
    fc.assert(
      fc.property(unitMap(7), (source) => {
        const below = pictureFor(source);
        const mask = keepMask(source, 0.4);
        const ours = hardMask(below, mask);
        for (let i = 0; i < source.size; i++) {
          const expected = mask.data[i] ? below.data.subarray(4 * i, 4 * i + 3) : [0, 0, 0];
          expect([...ours.data.subarray(4 * i, 4 * i + 3)]).toEqual([...expected]);
        }
      }),
    );
  });

  test('hardMask takes 255 for 1', () => {
    const below = picture(2, 1);
    const ours = hardMask(below, toNdArray(Uint8Array.of(255, 0), [1, 2]));
    expect([...ours.data.subarray(0, 4)]).toEqual([...below.data.subarray(0, 4)]);
  });
});

const drawn = [
  { name: 'overlay', draw: overlay },
  { name: 'softMask', draw: softMask },
];

describe.each(drawn)('$name', ({ name, draw }) => {
  test('shows pixels of NaN grey, at half the brightness of the picture (BT.601)', () => {
    const below = { data: Uint8Array.of(200, 100, 50, 77, 10, 20, 30, 255), width: 2, height: 1 };
    const { data } = draw(below, map([1, 2], [NaN, 1]));
    const grey = Math.round((0.299 * 200 + 0.587 * 100 + 0.114 * 50) / 2);
    expect([...data.subarray(0, 4)]).toEqual([grey, grey, grey, 77]);
  });

  test('keeps the alpha and leaves picture and map alone', () => {
    const below = picture(3, 2);
    const source = map([2, 3], [0, 0.5, 1, NaN, 2, -1]);
    const before = structuredClone({ below, source });
    const { data } = draw(below, source);
    for (let i = 3; i < data.length; i += 4) expect(data[i]).toBe(below.data[i]);
    expect({ below, source }).toEqual(before);
  });

  test('clamps the map to [0, 1]', () => {
    const below = picture(2, 1);
    expect(draw(below, map([1, 2], [-5, 7]))).toEqual(draw(below, map([1, 2], [0, 1])));
  });

  test('refuses a map of another size, naming both', () => {
    expect(() => draw(picture(4, 3), map([4, 3], new Float32Array(12)))).toThrow(
      `${name}: map expected [3, 4] for a picture of 4×3, got [4, 3]`,
    );
  });

  test('refuses a picture without its bytes', () => {
    const short = { data: new Uint8Array(15), width: 2, height: 2 };
    const source = map([2, 2], [0, 0, 0, 0]);
    expect(() => draw(short, source)).toThrow(
      `${name}: picture expected 16 bytes for 2×2 RGBA, got 15`,
    );
    expect(() => draw({ ...short, width: 0 }, source)).toThrow(ShapeError);
    expect(() => draw({ width: 2, height: 2 } as Picture, source)).toThrow(TypeError);
  });
});
