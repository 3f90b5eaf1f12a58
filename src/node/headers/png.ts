/** PNG: the IHDR chunk, and the eXIf chunk's orientation. Source: W3C PNG, 3rd edition, §5 and §11. */

import { FormatError } from '../../errors.js';
import { type PictureHeader, textAt, toOrientation, viewOf } from './header.js';
import { tiffOrientation } from './tiff.js';

export function readPngHeader(bytes: Uint8Array): PictureHeader {
  const view = viewOf(bytes);
  const header = { width: view.getUint32(16), height: view.getUint32(20), bytes };
  if (textAt(bytes, 12, 4) !== 'IHDR') throw new FormatError('its first PNG chunk is not IHDR');
  return { ...header, orientation: toOrientation(exifOrientation(bytes, view)) };
}

function exifOrientation(bytes: Uint8Array, view: DataView): number | undefined {
  // Chunks: length, type, data, CRC. The decoder checks them; here a broken one ends the search.
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    if (textAt(bytes, at + 4, 4) === 'eXIf') {
      return tiffOrientation(bytes.subarray(at + 8, at + 8 + length));
    }
    at += 12 + length;
  }
  return undefined;
}
