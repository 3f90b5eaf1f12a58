/** Transparency laid over white, as the network's preprocessing has it too. */

import type { Picture } from '../viz/picture.js';

/** The picture itself where it is opaque, else a copy over white. */
export function overWhite(picture: Picture): Picture {
  const { data, width, height } = picture;
  let opaque = true;
  for (let i = 3; i < data.length && opaque; i += 4) opaque = data[i] === 255;
  if (opaque) return picture;
  const out = new Uint8Array(data.length).fill(255);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3]! / 255;
    for (let c = 0; c < 3; c++) out[i + c] = Math.round(255 + (data[i + c]! - 255) * alpha);
  }
  return { data: out, width, height };
}
