import { describe, expect, test, vi } from 'vitest';
import { BLUE, decode, failure, GREEN, RED, rgb, WHITE } from './decoding.js';
import { gif } from './picture-files.js';

describe('GIF', () => {
  const palette: [number, number, number][] = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [255, 255, 255],
  ];

  test('the first frame comes out exact', async () => {
    expect(rgb(await decode(gif(2, 2, palette, [0, 1, 2, 3])))).toEqual([RED, GREEN, BLUE, WHITE]);
  });

  test('a truncated file is refused, and nothing is written on standard output', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    const whole = gif(8, 8, palette, new Array(64).fill(1));
    for (const length of [8, 12, 20, 40, whole.length - 20]) {
      expect(await failure(whole.subarray(0, length))).toContain('truncated');
    }
    const short = gif(8, 8, palette, new Array(20).fill(1));
    expect(await failure(short)).toContain('truncated');
    expect(log).not.toHaveBeenCalled();
    log.mockRestore();
  });

  test('codes that are used before they are defined are refused', async () => {
    // From some of them the decoder would not return.
    const bad = gif(2, 2, palette, [], undefined, { codes: [4, 0, 7, 7, 7, 7, 7] });
    expect(await failure(bad)).toContain('GIF code 7 before it is defined');
    const wide = gif(2, 2, palette, [0, 0, 0, 0], undefined, { colorBits: 12 });
    expect(await failure(wide)).toContain('12-bit colors');
    // 6 is the string 1, 1 while it is being defined.
    const right = gif(3, 1, palette, [], undefined, { codes: [4, 1, 6, 5] });
    expect(rgb(await decode(right))).toEqual([GREEN, GREEN, GREEN]);
  });

  test('sizes are checked for the canvas and for the frame, which need not agree', async () => {
    expect(await failure(gif(30_000, 30_000, palette, [0]))).toContain('900 megapixels');
    expect(await failure(gif(0, 0, palette, [0]))).toContain('no pixels');
    const frame: [number, number, number, number] = [0, 0, 65_535, 65_535];
    expect(await failure(gif(1, 1, palette, [0], frame))).toContain('megapixels');
    expect(await failure(gif(1, 1, palette, [0, 0], [0, 0, 2, 1]))).toContain('outside the canvas');
  });

  test('a second frame that is damaged, or cut, is no part of the picture', async () => {
    const one = gif(2, 2, palette, [0, 1, 2, 3]);
    const more = Buffer.concat([one.subarray(0, -1), Buffer.from('GGG')]);
    expect(rgb(await decode(more))).toEqual([RED, GREEN, BLUE, WHITE]);
  });

  test('the canvas is transparent where the first frame is not', async () => {
    const { data, decoder } = await decode(gif(2, 1, palette, [3], [1, 0, 1, 1]));
    expect([...data]).toEqual([0, 0, 0, 0, 255, 255, 255, 255]);
    expect(decoder).toBe('gif');
  });

  test('a file without a color table is refused', async () => {
    const file = gif(2, 1, palette, [0, 1]);
    const bare = Buffer.concat([
      file.subarray(0, 10),
      Uint8Array.of(1),
      file.subarray(11, 13),
      file.subarray(25),
    ]);
    expect(await failure(bare)).toContain('without colors');
  });
});
