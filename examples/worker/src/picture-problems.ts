/** What can be wrong with a picture. */

import { LIMITS } from './limits.js';
import { Problem } from './problem.js';

export function damaged(what: string): Problem {
  return new Problem(422, 'damaged', `the picture cannot be read: ${what}`);
}

/** @throws {Problem} for a picture without pixels, or with more than fit in memory */
export function checkSize(width: number, height: number): void {
  if (width === 0 || height === 0) throw damaged(`it has no pixels (${width}×${height})`);
  if (width * height > LIMITS.pixels) {
    throw new Problem(
      413,
      'too-many-pixels',
      `the picture is ${width}×${height}; at most ${LIMITS.pixels} pixels are taken: make it smaller first`,
    );
  }
}
