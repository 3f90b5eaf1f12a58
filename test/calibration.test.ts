import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Calibration, jsKernels, loadResNet, type Picture, ShapeError } from '../src/index.js';
import { NORMALIZERS, type Normalizer } from '../src/viz/index.js';

const bytes = readFileSync(new URL('../models/tiny-resnet50.safetensors', import.meta.url));
const net = await loadResNet(bytes, { kernels: jsKernels() });

/** The same structure, more or less of it. */
function picture(contrast: number): Picture {
  const data = Uint8Array.from({ length: 48 * 48 * 4 }, (_, i) => {
    const p = i >> 2;
    const wave = Math.sin((p % 48) / 3) * Math.cos(Math.floor(p / 48) / 5 + (i % 4));
    return i % 4 === 3 ? 255 : 128 + 127 * contrast * wave;
  });
  return { data, width: 48, height: 48 };
}

const scale = {
  gaussian: { mean: 6, sd: 3 },
  gamma: { min: 0, shape: 4, scale: 1.5 },
  range: { min: 0, max: 20 },
};
const calibration: Calibration = { statistic: 'smoe', scales: Array(5).fill(scale) };

describe('a calibration', () => {
  const normalizers = Object.keys(NORMALIZERS) as Normalizer[];
  const monotone = normalizers.filter((name) => name !== 'gamma-reference');

  it.each(normalizers)('replaces a map’s own constants for %s', (normalizer) => {
    const e = net.explain(picture(1), { size: 48, normalizer, calibration });
    e.rawMaps.forEach(({ data }, i) => {
      const expected = new Float32Array(data.length);
      NORMALIZERS[normalizer](expected, data, scale);
      expect(e.scaleMaps[i]!.data).toEqual(expected);
    });
  });

  it.each(monotone)('keeps the order of pixels across pictures by %s', (normalizer) => {
    const maps = [0.1, 0.4, 1].map((contrast) =>
      net.explain(picture(contrast), { size: 48, normalizer, calibration }),
    );
    for (let s = 0; s < 5; s++) {
      const pixels = maps.flatMap((e) =>
        Array.from(e.rawMaps[s]!.data, (raw, i) => [raw, e.scaleMaps[s]!.data[i]!] as const),
      );
      pixels.sort(([a], [b]) => a - b);
      expect(pixels.every(([, value], i) => i === 0 || value >= pixels[i - 1]![1])).toBe(true);
    }
  });

  it.each<[string, object, string]>([
    ['another statistic', { statistic: 'mean' }, 'calibration: statistic expected smoe, got mean'],
    [
      'another number of scales',
      { scales: [scale] },
      'calibration: scales expected 5, one for each map, got 1',
    ],
    [
      'a deviation of 0',
      { scales: Array(5).fill({ gaussian: { mean: 1, sd: 0 } }) },
      'calibration: scale 1: gaussian.sd expected a finite number > 0, got 0',
    ],
    [
      'a mean that is not finite',
      { scales: [...Array(4).fill(scale), { gaussian: { mean: Infinity, sd: 1 } }] },
      'calibration: scale 5: gaussian.mean expected a finite number, got Infinity',
    ],
    [
      'constants of another normaliser alone',
      { scales: Array(5).fill({ range: scale.range }) },
      'calibration: scale 1 has no constants for gaussian',
    ],
  ])('is refused for %s, before the network runs', (_, changes, message) => {
    const wrong = { ...calibration, ...changes };
    const empty = { data: new Uint8Array(0), width: 0, height: 0 };
    const explain = () => net.explain(empty, { calibration: wrong });
    expect(explain).toThrow(ShapeError);
    expect(explain).toThrow(message);
  });
});
