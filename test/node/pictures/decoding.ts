/** What the tests of decoders have in common. */

import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { FormatError } from '../../../src/errors.js';
import type { Picture } from '../../../src/image/picture.js';
import { decodePicture } from '../../../src/node/pictures/decode.js';
import type { DecodedPicture, DecodeOptions } from '../../../src/node/pictures/format.js';

/** A small file of test/fixtures/pictures, whose README tells how it was made. */
export function fixture(name: string): Uint8Array {
  return readFileSync(new URL(`../../fixtures/pictures/${name}`, import.meta.url));
}

export function decode(bytes: Uint8Array, options?: DecodeOptions): Promise<DecodedPicture> {
  return decodePicture(bytes, 'the-file', options);
}

/** The pixels as [r, g, b] triples; alpha is checked where it matters. */
export function rgb({ data }: Picture): number[][] {
  return Array.from({ length: data.length / 4 }, (_, i) => [...data.subarray(4 * i, 4 * i + 3)]);
}

/** The first channel of each pixel: of a grey picture, all there is to know. */
export function grey(picture: Picture): number[] {
  return rgb(picture).map(([level]) => level!);
}

/** The message of the failure; it must be one line and name the file. */
export async function failure(bytes: Uint8Array): Promise<string> {
  const error = await decode(bytes).then(
    () => new Error('was decoded'),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(FormatError);
  expect(error.message).toMatch(/^the-file: [^\n]+$/);
  return error.message;
}

/** The mean of the absolute differences of red, green and blue, in levels. */
export function difference(a: Picture, b: Picture): number {
  expect([a.width, a.height]).toEqual([b.width, b.height]);
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) {
    if (i % 4 < 3) sum += Math.abs(a.data[i]! - b.data[i]!);
  }
  return sum / (0.75 * a.data.length);
}

export const RED = [255, 0, 0];
export const GREEN = [0, 255, 0];
export const BLUE = [0, 0, 255];
export const WHITE = [255, 255, 255];
export const BLACK = [0, 0, 0];
