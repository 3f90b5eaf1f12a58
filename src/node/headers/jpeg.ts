/**
 * JPEG: the frame header (SOFn) and Adobe's color transform (APP14). Source: ITU-T T.81 §B.2; Adobe
 * technical note 5116 §18 for APP14.
 */

import { FormatError } from '../../errors.js';
import { checkSize, MAX_PIXELS, type PictureHeader, textAt, viewOf } from './header.js';

const SOF0 = 0xc0;
const SOF15 = 0xcf;
/** Between SOF0 and SOF15 but no frame headers: Huffman tables, reserved, arithmetic conditioning. */
const NOT_FRAMES = [0xc4, 0xc8, 0xcc];
/** Baseline, extended and progressive Huffman frames are what the decoder knows. */
const LAST_DECODED = 0xc2;
const SOS = 0xda;
const APP14 = 0xee;

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** One character for each component's identifier. */
  readonly ids: string;
}

export function readJpegHeader(bytes: Uint8Array): PictureHeader {
  const view = viewOf(bytes);
  let frame: Frame | undefined;
  let adobeTransform: number | undefined;
  // Segments: FF, marker, length (which counts itself), data. The scan ends the header.
  for (let at = 2; ; at += 2 + view.getUint16(at + 2)) {
    while (view.getUint8(at) === 0xff && view.getUint8(at + 1) === 0xff) at++;
    const marker = view.getUint8(at + 1);
    if (marker === SOS) break;
    if (view.getUint8(at) !== 0xff) throw new FormatError(`no JPEG marker at byte ${at}`);
    const data = at + 4;
    if (marker === APP14 && textAt(bytes, data, 5) === 'Adobe') {
      adobeTransform = view.getUint8(data + 11);
    } else if (marker >= SOF0 && marker <= SOF15 && !NOT_FRAMES.includes(marker)) {
      frame = readFrame(view, data, marker);
    }
  }
  if (frame === undefined) throw new FormatError('a JPEG without a frame header');
  const { width, height, channels, ids } = frame;
  checkSize(width, height);
  // A block of 8×8 pixels has a code for its mean at least, of one bit at least: a kilobyte cannot
  // claim to be a hundred megapixels, which the decoder would toil for.
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8);
  if (blocks > 8 * bytes.length) {
    throw new FormatError(
      `truncated: ${width}×${height} JPEG pixels take ${Math.ceil(blocks / 8)} bytes or more, ${bytes.length} are there`,
    );
  }
  const rgb = channels === 3 && (ids === 'RGB' || adobeTransform === 0);
  return {
    width,
    height,
    bytes,
    options: {
      maxResolutionInMP: MAX_PIXELS / 1e6,
      // Its default of 512 MB stops at some 40 megapixels: it keeps every coefficient.
      maxMemoryUsageInMB: 8192,
      // The decoder takes three channels for YCbCr, whatever the file says.
      ...(rgb && { colorTransform: false }),
    },
  };
}

function readFrame(view: DataView, segment: number, marker: number): Frame {
  if (marker > LAST_DECODED) {
    throw new FormatError('lossless, hierarchical and arithmetic-coded JPEG are not supported');
  }
  const bits = view.getUint8(segment);
  if (bits !== 8) throw new FormatError(`JPEG of ${bits} bits is not supported, only 8`);
  const channels = view.getUint8(segment + 5);
  let ids = '';
  for (let c = 0; c < channels; c++) ids += String.fromCharCode(view.getUint8(segment + 6 + 3 * c));
  return { height: view.getUint16(segment + 1), width: view.getUint16(segment + 3), channels, ids };
}
