/**
 * Colour maps: a number in [0, 1] → a colour, as 256 steps.
 *
 * - `viridis` (default), S. van der Walt and N. Smith 2015, https://bids.github.io/colormap, CC0. Equal
 *   steps of the number are equal steps of perceived difference (CAM02-UCS). Lightness rises all along,
 *   also for people with red-green blindness and in black-and-white print. It contains no grey, so that
 *   a pixel that was not seen cannot be mistaken for a value.
 * - `cividis`, J. R. Nuñez, C. R. Anderton and R. S. Renslow, "Optimizing colormaps with consideration
 *   for color vision deficiency to enable accurate interpretation of scientific data", PLoS ONE 13(7)
 *   e0199239, 2018: looks nearly the same to people with and without red-green blindness.
 * - `jet`, the rainbow of the paper's figures: neither uniform nor safe. It shows edges where the map
 *   has none. Channels are trapezia, clamp(3/2 − |4v − c|, 0, 1) with c = 3, 2, 1.
 *
 * The first two are stored as every fifth colour of the published 256, and interpolated. Compared with the
 * published bytes, viridis is off by at most 1; cividis by at most 4, and by more than 1 at 8 steps only
 * (21–23, 28 and 251–254, where its authors' curve has kinks).
 */

import { createPicture, type DrawnPicture, pixelsOf, unseenGrey } from '../image/picture.js';
import { checkMap, type SaliencyMap } from './ndarray.js';

export type Colormap = 'viridis' | 'cividis' | 'jet';

/** 52 knots, RRGGBB, from v = 0 to 1. */
const KNOTS = {
  viridis:
    '44015446085c471063481769481d6f482475472a7a46307e453781433d844142873f48893d4e8a' +
    '3a538b38598c355e8d33638d31688e2e6d8e2c718e2a768e297b8e27808e25848e23898e218e8d' +
    '20928c1f978b1e9c891fa18821a58524aa8328ae802eb37c35b7793dbc7446c06f50c46a5ac864' +
    '65cb5e70cf577cd25089d54895d840a2da37b0dd2fbddf26cae11fd8e219e5e419f1e51dfde725',
  cividis:
    '00224e002656002a5f002d68003070083370163770203a6f273e6e2e416d34456c3a486c3f4c6c' +
    '444f6c49536c4e566c535a6d575d6d5c616e60646f656870696b716d6f727272747676767a7a78' +
    '7e7d788381798885788d8878928c789690779b9476a09875a59c74aaa073afa471b5a86fbaac6d' +
    'bfb06bc4b468c9b965cfbd62d4c15fdac65bdfca57e5cf52ead34cf0d846f6dd3ffce236fee838',
};

/** Steps of a colour map, and how many of them are between two knots. */
const STEPS = 256;
const STEPS_PER_KNOT = 5;

const tables = new Map<Colormap, Uint8Array>();

/**
 * The colours of a map: 256 steps, [256, 4], opaque RGBA bytes, from v = 0 to 1. Each map is made once.
 *
 * @throws TypeError for an unknown colour map.
 */
export function colormapTable(colormap: Colormap): Uint8Array {
  let table = tables.get(colormap);
  if (table === undefined) {
    table = makeTable(colormap);
    tables.set(colormap, table);
  }
  return table;
}

/** The step of `v`, clamped to [0, 1]. NaN gives 0. */
export function colorStep(v: number): number {
  return v > 0 ? (Math.min(v, 1) * (STEPS - 1) + 0.5) | 0 : 0;
}

/**
 * The colour of `v`, RGB in 0…255.
 *
 * @param v clamped to [0, 1]; NaN gives mid grey, (128, 128, 128).
 * @throws TypeError for an unknown colour map.
 */
export function colorAt(colormap: Colormap, v: number): [r: number, g: number, b: number] {
  const table = colormapTable(colormap);
  if (Number.isNaN(v)) return [128, 128, 128];
  const step = 4 * colorStep(v);
  return [table[step]!, table[step + 1]!, table[step + 2]!];
}

/**
 * A map in colours, as an opaque picture of its size; NaN is hatched grey.
 *
 * @param map [H, W], values clamped to [0, 1].
 * @throws TypeError for an unknown colour map, ShapeError if the map has no pixels.
 */
export function colorize(map: SaliencyMap, colormap: Colormap = 'viridis'): DrawnPicture {
  checkMap('colorize', map);
  const table = new Uint32Array(colormapTable(colormap).buffer);
  const [H, W] = map.shape as [number, number];
  const picture = createPicture(W, H);
  const pixels = pixelsOf(picture);
  const { data, stride, offset } = map;
  for (let y = 0; y < H; y++) {
    const rowBase = offset + y * stride[0]!;
    for (let x = 0; x < W; x++) {
      const v = data[rowBase + x * stride[1]!]!;
      // All four bytes at once. The bytes of grey are equal, except alpha, the last and highest.
      pixels[y * W + x] = Number.isNaN(v)
        ? 0xff000000 + unseenGrey(x, y) * 0x010101
        : table[colorStep(v)]!;
    }
  }
  return picture;
}

function makeTable(colormap: Colormap): Uint8Array {
  if (colormap === 'jet') return tableOf(jetLevel);
  if (!Object.hasOwn(KNOTS, colormap)) {
    const known = [...Object.keys(KNOTS), 'jet'].join(', ');
    throw new TypeError(`colormap: expected ${known}, got ${String(colormap)}`);
  }
  const knots = KNOTS[colormap];
  return tableOf((step, channel) => {
    const knot = Math.floor(step / STEPS_PER_KNOT);
    const t = (step % STEPS_PER_KNOT) / STEPS_PER_KNOT;
    const digits = 6 * knot + 2 * channel;
    const low = Number.parseInt(knots.slice(digits, digits + 2), 16);
    // The last step is a knot without a successor.
    const high = t > 0 ? Number.parseInt(knots.slice(digits + 6, digits + 8), 16) : low;
    return (1 - t) * low + t * high;
  });
}

function jetLevel(step: number, channel: number): number {
  const level = 1.5 - Math.abs((4 * step) / (STEPS - 1) - (3 - channel));
  return 255 * Math.max(0, Math.min(1, level));
}

function tableOf(level: (step: number, channel: number) => number): Uint8Array {
  return Uint8Array.from({ length: 4 * STEPS }, (_, i) =>
    i % 4 === 3 ? 255 : Math.round(level(i >> 2, i % 4)),
  );
}
