/** Enlarges pictures that are too small to see. A separate file: few need it, and ndarray-ops takes 40 ms to load. */

import ndarray from 'ndarray';
import ops from 'ndarray-ops';
import type { Picture } from '../../image/picture.js';

/** Every pixel becomes a square of `factor`² pixels: one strided assignment for each of them. */
export function enlargePicture(picture: Picture, factor: number): Picture {
  const { width, height } = picture;
  const size = { width: width * factor, height: height * factor };
  const data = new Uint8Array(4 * size.width * size.height);
  const source = ndarray(picture.data, [height, width, 4]);
  const out = ndarray(data, [size.height, size.width, 4]);
  for (let dy = 0; dy < factor; dy++) {
    for (let dx = 0; dx < factor; dx++) {
      ops.assign(out.lo(dy, dx, 0).step(factor, factor, 1), source);
    }
  }
  return { data, ...size };
}
