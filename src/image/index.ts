/** Pictures, and the steps from their pixels to a network's input. */

export { type Orientation, orient, orientationOf } from './orientation.js';
export {
  checkPicture,
  createPicture,
  type DrawnPicture,
  fitInside,
  overWhite,
  type Picture,
  pixelsOf,
  type Region,
  type Size,
  unseenGrey,
} from './picture.js';
export * from './preprocess.js';
export { type Interpolation, type ResizeRows, resize } from './resize.js';
