/** Turning a decoded picture the way its EXIF orientation says, as a strided copy. */

import ndarray from 'ndarray';
import ops from 'ndarray-ops';
import type { Picture } from '../viz/picture.js';
import type { Orientation } from './headers/header.js';

/**
 * The picture as it is to be seen. Each orientation is a view of the stored rows and columns (axes
 * swapped, steps reversed), so one assignment does all eight.
 */
export function orient(picture: Picture, orientation: Orientation): Picture {
  if (orientation === 1) return picture;
  const { data, width, height } = picture;
  const stored = ndarray(data, [height, width, 4]);
  // 5…8 swap rows and columns; which of the two then runs backwards tells the four apart.
  const swapped = orientation >= 5;
  const upright = swapped ? stored.transpose(1, 0, 2) : stored;
  const flipRows = [3, 4, 7, 8].includes(orientation);
  const flipColumns = [2, 3, 6, 7].includes(orientation);
  const view = upright.step(flipRows ? -1 : 1, flipColumns ? -1 : 1, 1);
  const out = new Uint8Array(data.length);
  const size = swapped ? { width: height, height: width } : { width, height };
  ops.assign(ndarray(out, [size.height, size.width, 4]), view);
  return { data: out, ...size };
}
