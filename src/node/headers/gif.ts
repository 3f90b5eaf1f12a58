/** GIF: the canvas and the rectangle of the first frame. Source: GIF89a specification, §18–24. */

import { FormatError } from '../../errors.js';
import { checkSize, type PictureHeader, viewOf } from './header.js';

const EXTENSION = 0x21;
const FRAME = 0x2c;
const END = 0x3b;

export function readGifHeader(bytes: Uint8Array): PictureHeader {
  const view = viewOf(bytes);
  const width = view.getUint16(6, true);
  const height = view.getUint16(8, true);
  const flags = view.getUint8(10);
  // The global color table follows the screen descriptor: 3·2^(n+1) bytes.
  let at = 13 + (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  while (view.getUint8(at) === EXTENSION) {
    // Introducer, label, then sub-blocks, each led by its size; size 0 ends them.
    at += 2;
    for (let size = view.getUint8(at++); size > 0; size = view.getUint8(at++)) at += size;
  }
  const block = view.getUint8(at);
  if (block === END) throw new FormatError('a GIF without a frame');
  if (block !== FRAME) throw new FormatError(`an unknown GIF block at byte ${at}`);
  checkFrame(view, at, width, height);
  return { width, height, orientation: 1, bytes };
}

/** The decoder trusts the frame's own size, which need not be the canvas's. */
function checkFrame(view: DataView, at: number, width: number, height: number): void {
  const right = view.getUint16(at + 1, true) + view.getUint16(at + 5, true);
  const bottom = view.getUint16(at + 3, true) + view.getUint16(at + 7, true);
  checkSize(right, bottom, 'the first GIF frame');
  if (right > width || bottom > height) {
    throw new FormatError(
      `the first GIF frame reaches ${right}×${bottom}, outside the canvas of ${width}×${height}`,
    );
  }
}
