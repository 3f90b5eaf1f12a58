/** BMP: the file and info headers. Source: Microsoft, BITMAPFILEHEADER to BITMAPV5HEADER. */

import { FormatError } from '../../errors.js';
import { type PictureHeader, viewOf } from './header.js';

const INFO_HEADER = 40;
const V4_HEADER = 108;
const HEADERS = [INFO_HEADER, 52, 56, V4_HEADER, 124];
const DEPTHS = [1, 4, 8, 16, 24, 32];
const RGB = 0;
const RLE8 = 1;
const RLE4 = 2;
const BIT_FIELDS = 3;

export function readBmpHeader(bytes: Uint8Array): PictureHeader {
  const view = viewOf(bytes);
  const pixelsAt = view.getUint32(10, true);
  const headerBytes = view.getUint32(14, true);
  if (!HEADERS.includes(headerBytes)) {
    throw new FormatError(`a BMP header of ${headerBytes} bytes is not supported`);
  }
  const width = view.getInt32(18, true);
  // Negative: the rows run from the top.
  const height = Math.abs(view.getInt32(22, true));
  const depth = view.getUint16(28, true);
  const compression = view.getUint32(30, true);
  const colors = view.getUint32(46, true);
  if (width < 0) throw new FormatError(`a BMP of width ${width}`);
  if (!DEPTHS.includes(depth)) throw new FormatError(`a BMP of ${depth} bits is not supported`);
  if (![RGB, RLE8, RLE4, BIT_FIELDS].includes(compression)) {
    throw new FormatError(`BMP compression ${compression} is not supported`);
  }
  if (colors > 256) throw new FormatError(`a BMP palette of ${colors} colors`);

  const masks = compression === BIT_FIELDS && headerBytes === INFO_HEADER ? 12 : 0;
  const palette = depth <= 8 ? colors || 2 ** depth : colors;
  const tablesEnd = 14 + headerBytes + masks + 4 * palette;
  const rowBytes = 4 * Math.ceil((width * depth) / 32);
  const packed = compression === RLE8 || compression === RLE4;
  if (pixelsAt < tablesEnd || pixelsAt > bytes.length) {
    throw new FormatError(`BMP pixels at byte ${pixelsAt}, outside ${tablesEnd}…${bytes.length}`);
  }
  if (!packed && pixelsAt + rowBytes * height > bytes.length) {
    throw new FormatError(
      `truncated: ${width}×${height} BMP pixels take ${rowBytes * height} bytes, ${bytes.length - pixelsAt} are there`,
    );
  }
  return { width, height, bytes: closeGap(bytes, tablesEnd, pixelsAt) };
}

/** The decoder takes the pixels to follow the tables at once, wherever the header says they are. */
function closeGap(bytes: Uint8Array, tablesEnd: number, pixelsAt: number): Uint8Array {
  if (pixelsAt === tablesEnd) return bytes;
  const closed = new Uint8Array(bytes.length - (pixelsAt - tablesEnd));
  closed.set(bytes.subarray(0, tablesEnd));
  closed.set(bytes.subarray(pixelsAt), tablesEnd);
  return closed;
}
