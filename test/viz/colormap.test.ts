import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Colormap, colorAt, colorize } from '../../src/viz/colormap.js';
import { map, unitMap } from './arbitraries.js';

const steps = Array.from({ length: 256 }, (_, i) => i / 255);

describe.each<Colormap>(['viridis', 'cividis'])('%s', (colormap) => {
  const lightness = steps.map((v) => lightnessOf(colorAt(colormap, v)));

  test('grows lighter from start to end (CIELAB), so that it is readable in grey, too', () => {
    // Bytes are rounded: over four steps the rise is larger than that.
    for (let i = 4; i < 256; i++) expect(lightness[i]).toBeGreaterThan(lightness[i - 4]!);
  });

  test('is uniform: lightness is linear in the value within 4 of 100', () => {
    const [first, last] = [lightness[0]!, lightness[255]!];
    lightness.forEach((value, i) => {
      expect(Math.abs(value - (first + (i / 255) * (last - first)))).toBeLessThan(4);
    });
  });

  test('grows lighter also for eyes without red or without green cones', () => {
    for (const eyes of [PROTANOPIA, DEUTERANOPIA]) {
      const seen = steps.map((v) => luminanceOf(eyes, colorAt(colormap, v)));
      for (let i = 4; i < 256; i++) expect(seen[i]).toBeGreaterThan(seen[i - 4]!);
    }
  });
});

describe('published values', () => {
  // From the authors’ tables of 256 colours, at steps between our knots.
  test.each([
    { colormap: 'viridis', step: 8, rgb: [71, 13, 96] },
    { colormap: 'viridis', step: 63, rgb: [59, 81, 139] },
    { colormap: 'viridis', step: 127, rgb: [33, 144, 141] },
    { colormap: 'viridis', step: 188, rgb: [86, 198, 103] },
    { colormap: 'viridis', step: 251, rgb: [244, 230, 30] },
    { colormap: 'cividis', step: 8, rgb: [0, 40, 91] },
    { colormap: 'cividis', step: 63, rgb: [66, 78, 108] },
    { colormap: 'cividis', step: 127, rgb: [124, 123, 120] },
    { colormap: 'cividis', step: 188, rgb: [184, 170, 110] },
    { colormap: 'cividis', step: 246, rgb: [247, 222, 62] },
  ] as const)('$colormap at step $step is within 1 of 255', ({ colormap, step, rgb }) => {
    colorAt(colormap, step / 255).forEach((channel, i) => {
      expect(Math.abs(channel - rgb[i]!)).toBeLessThanOrEqual(1);
    });
  });

  test('jet is dark blue, blue, cyan, yellow, red, dark red at its corners', () => {
    expect(colorAt('jet', 0)).toEqual([0, 0, 128]);
    expect(colorAt('jet', 32 / 255)).toEqual([0, 0, 255]);
    expect(colorAt('jet', 96 / 255)).toEqual([1, 255, 254]);
    expect(colorAt('jet', 159 / 255)).toEqual([254, 255, 1]);
    expect(colorAt('jet', 223 / 255)).toEqual([255, 0, 0]);
    expect(colorAt('jet', 1)).toEqual([128, 0, 0]);
  });
});

describe('colorAt and colorize', () => {
  test('clamp to [0, 1]', () => {
    for (const colormap of ['viridis', 'cividis', 'jet'] as const) {
      expect(colorAt(colormap, -3)).toEqual(colorAt(colormap, 0));
      expect(colorAt(colormap, -Infinity)).toEqual(colorAt(colormap, 0));
      expect(colorAt(colormap, 7)).toEqual(colorAt(colormap, 1));
      expect(colorAt(colormap, Infinity)).toEqual(colorAt(colormap, 1));
      expect(colorAt(colormap, NaN)).toEqual([128, 128, 128]);
    }
  });

  test('colorize is colorAt at every pixel, opaque; viridis by default', () => {
    const name = fc.constantFrom<Colormap>('viridis', 'cividis', 'jet');
    fc.assert(
      fc.property(unitMap(6), name, (source, colormap) => {
        const [H, W] = source.shape as [number, number];
        const picture = colorize(source, colormap);
        expect([picture.height, picture.width]).toEqual([H, W]);
        const expected = [...source.data].flatMap((v) => [...colorAt(colormap, v), 255]);
        expect([...picture.data]).toEqual(expected);
        if (colormap === 'viridis') expect(colorize(source)).toEqual(picture);
      }),
    );
  });

  test('NaN is stripes in two shades of grey, which no colour map has', () => {
    const { data } = colorize(map([8, 8], new Float32Array(64).fill(NaN)));
    const shades = new Set<number>();
    for (let i = 0; i < data.length; i += 4) {
      expect([data[i + 1], data[i + 2], data[i + 3]]).toEqual([data[i], data[i], 255]);
      shades.add(data[i]!);
    }
    expect([...shades].sort()).toEqual([112, 144]);
  });

  test('reads a transposed view by its strides', () => {
    const source = map([2, 3], [0, 0.2, 0.4, 0.6, 0.8, 1]);
    const transposed = { ...source, shape: [3, 2], stride: [1, 3] };
    expect(colorize(transposed)).toEqual(colorize(map([3, 2], [0, 0.6, 0.2, 0.8, 0.4, 1])));
  });

  test('an unknown name is a TypeError that lists the known ones', () => {
    for (const name of ['hot', 'toString', '']) {
      expect(() => colorAt(name as Colormap, 0)).toThrow(
        new TypeError(`colormap: expected viridis, cividis, jet, got ${name}`),
      );
    }
  });
});

/** sRGB byte → linear light (IEC 61966-2-1). */
function linear(byte: number): number {
  const c = byte / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}

/** CIELAB L*, 0…100. */
function lightnessOf(rgb: readonly number[]): number {
  const Y = luminanceOf(IDENTITY, rgb);
  return Y > (6 / 29) ** 3 ? 116 * Math.cbrt(Y) - 16 : (29 / 3) ** 3 * Y;
}

/** Luminance of a colour as eyes with this matrix see it; 1 is white. */
function luminanceOf(eyes: readonly number[][], rgb: readonly number[]): number {
  const light = rgb.map(linear);
  const seen = eyes.map((row) => row.reduce((sum, share, i) => sum + share * light[i]!, 0));
  return 0.2126 * seen[0]! + 0.7152 * seen[1]! + 0.0722 * seen[2]!;
}

const IDENTITY = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

// Linear RGB as dichromats see it: G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, "A
// Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE TVCG 15(6), 2009, table 1.
const PROTANOPIA = [
  [0.152286, 1.052583, -0.204868],
  [0.114503, 0.786281, 0.099216],
  [-0.003882, -0.048116, 1.051998],
];
const DEUTERANOPIA = [
  [0.367322, 0.860646, -0.227968],
  [0.280085, 0.672501, 0.047413],
  [-0.01182, 0.04294, 0.968881],
];
