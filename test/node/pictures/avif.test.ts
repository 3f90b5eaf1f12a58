import { describe, expect, test } from 'vitest';
import { orient } from '../../../src/image/orientation.js';
import { decode, difference, failure, fixture } from './decoding.js';

describe('AVIF', () => {
  test('a picture is decoded close to its source; of a sequence the first one', async () => {
    const source = await decode(fixture('src.png'));
    for (const name of ['photo.avif', 'sequence.avif']) {
      const picture = await decode(fixture(name));
      expect(difference(picture, source), name).toBeLessThan(12);
      expect(picture.decoder).toBe('libavif');
    }
  });

  test('it is turned and mirrored by irot and imir', async () => {
    // A quarter turn anticlockwise, then left for right.
    const expected = orient(await decode(fixture('src.png')), 7);
    const turned = fixture('turned.avif');
    expect(difference(await decode(turned), expected)).toBeLessThan(12);
    const changed = async (turns: number, axis: number) => {
      const file = Buffer.from(turned);
      file[file.indexOf('irot') + 4] = turns;
      file[file.indexOf('imir') + 4] = axis;
      return decode(file);
    };
    const stored = orient(await decode(turned), 7);
    // By quarter turns, upside down and left for right.
    const orientations = [
      [4, 2],
      [5, 7],
      [2, 4],
      [7, 5],
    ] as const;
    for (const [turns, pair] of orientations.entries()) {
      for (const [axis, orientation] of pair.entries()) {
        const seen = await changed(turns, axis);
        expect(difference(seen, orient(stored, orientation)), `${turns} ${axis}`).toBe(0);
      }
    }
  });

  test('a size of more than 100 megapixels is refused before decoding', async () => {
    const file = Buffer.from(fixture('photo.avif'));
    file.writeUInt32BE(30_000, file.indexOf('ispe') + 8);
    file.writeUInt32BE(30_000, file.indexOf('ispe') + 12);
    expect(await failure(file)).toContain('900 megapixels');
  });

  test('every truncation is refused', async () => {
    const whole = fixture('photo.avif');
    for (let length = 16; length < whole.length - 20; length += 37) {
      expect(await failure(whole.subarray(0, length))).toMatch(/truncated|damaged|without a size/);
    }
  });

  test('HEIC is refused by name, with what to do', async () => {
    expect(await failure(fixture('photo.heic'))).toBe(
      'the-file: a HEIC picture cannot be read: convert it to PNG or JPEG, or install sharp beside fastcam',
    );
  });
});
