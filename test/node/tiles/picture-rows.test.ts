import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readPicture } from '../../../src/node/pictures/decode.js';
import { openPictureRows } from '../../../src/node/tiles/picture-rows.js';
import { temporaryFolder } from '../../temporary-folder.js';
import { tiff, tiffEntries } from '../pictures/picture-files.js';

const { write } = temporaryFolder('picture-rows');
const FIXTURES = new URL('../../fixtures/pictures/', import.meta.url);
const files = readdirSync(FIXTURES).filter((name) => /\.(tif|png)$/.test(name));

describe('a picture that is read in strips', () => {
  it.each(files)(
    '%s has the pixels of the picture that is decoded at once, also again from the top',
    async (name) => {
      const path = new URL(name, FIXTURES).pathname;
      const whole = await readPicture(path);
      const rows = await openPictureRows(path, {});
      const { width, height } = whole;
      expect([rows.width, rows.height]).toEqual([width, height]);
      for (const step of [7, height, 1]) {
        for (let top = 0; top < height; top += step) {
          const strip = await rows.read(top, Math.min(step, height - top));
          const expected = whole.data.subarray(4 * width * top, 4 * width * (top + strip.height));
          // Transparent pixels show white.
          const over = expected.map((value, i) => {
            const alpha = expected[i - (i % 4) + 3]! / 255;
            return i % 4 === 3 ? 255 : Math.round(255 + (value - 255) * alpha);
          });
          expect(Buffer.compare(strip.data as Uint8Array, over as Uint8Array)).toBe(0);
        }
      }
      rows.close();
    },
  );

  it('may be one strip of plain rows, of which only those asked for are read', async () => {
    const [width, height] = [3, 700];
    const pixels = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 7) % 251);
    const bytes = tiff(tiffEntries(width, height, 2, [8, 8, 8], pixels.length), [...pixels]);
    const rows = await openPictureRows(write('long.tif', bytes), {});
    for (const [top, count] of [
      [300, 200],
      [0, 5],
      [699, 1],
    ] as const) {
      const { data } = await rows.read(top, count);
      const expected = pixels.subarray(3 * width * top, 3 * width * (top + count));
      expect([...data].filter((_, i) => i % 4 < 3)).toEqual([...expected]);
    }
    rows.close();
  });

  it('names the file if it is damaged, when it is opened or when the rows are read', async () => {
    const entries = tiffEntries(3, 400, 1, [8], 1200);
    const cut = tiff(entries, new Array(1200).fill(0)).subarray(0, 600);
    const path = write('cut.tif', cut);
    await expect(openPictureRows(path, {})).rejects.toThrow(/^\S+cut\.tif: truncated/);
    const lzw = entries.map((entry) => (entry[0] === 259 ? ([259, 3, 5] as typeof entry) : entry));
    const damaged = write(
      'damaged.tif',
      tiff(lzw, [0x80, 0x3f, 0xff, ...new Array(1197).fill(255)]),
    );
    const rows = await openPictureRows(damaged, {});
    await expect(rows.read(0, 4)).rejects.toThrow(/^\S+damaged\.tif: damaged: TIFF LZW code/);
    rows.close();
  });
});
