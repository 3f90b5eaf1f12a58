/**
 * JPEG: the header here, the pixels by jpeg-js. Source: ITU-T T.81 §B.2; Adobe technical note 5116 §18.
 */

import type { Picture } from 'fastcam';
import { decode } from 'jpeg-js';
import { LIMITS } from './limits.js';
import { checkSize, damaged } from './picture-problems.js';
import { textAt, viewOf } from './views.js';

const SOF0 = 0xc0;
const SOF15 = 0xcf;
/** Between SOF0 and SOF15 but no frame headers: Huffman tables, reserved, arithmetic conditioning. */
const NOT_FRAMES = [0xc4, 0xc8, 0xcc];
/** Baseline, extended and progressive Huffman frames are what the decoder knows. */
const LAST_DECODED = 0xc2;
const SOS = 0xda;
/**
 * Progressive encoders write some ten scans. Each is a walk over all blocks, and an empty one takes ten
 * bytes: a file of nothing else would keep the decoder busy for hours.
 */
const MAX_SCANS = 64;
const APP14 = 0xee;

/** The stored pixels. @throws {Problem} 413 for too many, 422 for a damaged file */
export function decodeJpeg(bytes: Uint8Array): Picture {
  const isRgb = checkHeader(bytes);
  const { data, width, height } = decode(bytes, {
    useTArray: true,
    maxResolutionInMP: LIMITS.pixels / 1e6,
    maxMemoryUsageInMB: LIMITS.jpegMegabytes,
    // The decoder takes three channels for YCbCr, whatever the file says.
    ...(isRgb && { colorTransform: false }),
  });
  return { data, width, height };
}

/**
 * Reads all up to the scan, and looks whether the claimed size can be true.
 *
 * @returns whether the channels are red, green and blue as they stand
 */
function checkHeader(bytes: Uint8Array): boolean {
  const view = viewOf(bytes);
  let size: readonly [width: number, height: number] | undefined;
  let ids = '';
  let adobeTransform: number | undefined;
  // Segments: FF, marker, length (which counts itself), data.
  for (let at = 2; ; at += 2 + view.getUint16(at + 2)) {
    while (view.getUint8(at) === 0xff && view.getUint8(at + 1) === 0xff) at++;
    if (view.getUint8(at) !== 0xff) throw damaged(`no JPEG marker at byte ${at}`);
    const marker = view.getUint8(at + 1);
    const data = at + 4;
    if (marker === SOS) break;
    if (marker === APP14 && textAt(bytes, data, 5) === 'Adobe') {
      adobeTransform = view.getUint8(data + 11);
    } else if (marker >= SOF0 && marker <= SOF15 && !NOT_FRAMES.includes(marker)) {
      if (marker > LAST_DECODED || view.getUint8(data) !== 8) {
        throw damaged('only baseline and progressive JPEG of 8 bits can be read');
      }
      // A second frame would not be the one that was checked.
      if (size !== undefined) throw damaged('a JPEG of several frames');
      size = [view.getUint16(data + 3), view.getUint16(data + 1)];
      const channels = view.getUint8(data + 5);
      for (let c = 0; c < channels; c++) ids += textAt(bytes, data + 6 + 3 * c, 1);
    }
  }
  if (size === undefined) throw damaged('a JPEG without a frame header');
  checkSize(...size);
  // A block of 8×8 pixels takes a bit at least: a hundred bytes cannot claim to be megapixels, which
  // the decoder would toil for.
  const blocks = Math.ceil(size[0] / 8) * Math.ceil(size[1] / 8);
  if (blocks > 8 * bytes.length) throw damaged('a JPEG that stops early');
  if (countScans(bytes) > MAX_SCANS) throw damaged(`a JPEG of more than ${MAX_SCANS} scans`);
  return ids === 'RGB' || (ids.length === 3 && adobeTransform === 0);
}

/** FF is followed by 00 within a scan, so that these two bytes are its marker, or lie in metadata. */
function countScans(bytes: Uint8Array): number {
  let scans = 0;
  for (let at = bytes.indexOf(0xff); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === SOS) scans++;
  }
  return scans;
}
