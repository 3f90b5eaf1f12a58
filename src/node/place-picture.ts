/** A picture laid onto another. */

import type { Picture } from '../image/picture.js';

/** Copies a picture, alpha and all, with its top left corner at (x, y) of `onto`. It must fit. */
export function placePicture(
  onto: Picture,
  { data, width, height }: Picture,
  x: number,
  y: number,
): void {
  for (let row = 0; row < height; row++) {
    const line = data.subarray(4 * row * width, 4 * (row + 1) * width);
    onto.data.set(line, 4 * ((y + row) * onto.width + x));
  }
}
