/**
 * JPEG, by mozjpeg in WebAssembly; four channels by jpeg-js. The frame header (SOFn) decides which files are
 * refused. Source: ITU-T T.81 §B.2; Adobe technical note 5116 §18 for APP14.
 */

import { FormatError } from '../../errors.js';
import { orientationOf } from '../../image/orientation.js';
import type { Picture } from '../../image/picture.js';
import { optionalPackage } from '../optional-package.js';
import type { DecodedPicture, PictureFormat } from './format.js';
import {
  checkSize,
  MAX_PIXELS,
  type PictureSize,
  textAt,
  UnreadableKindError,
  viewOf,
} from './header.js';
import { type CodecFiles, codecRunner } from './wasm-codec.js';

const SOF0 = 0xc0;
const SOF15 = 0xcf;
/** Between SOF0 and SOF15 but no frame headers: Huffman tables, reserved, arithmetic conditioning. */
const NOT_FRAMES = [0xc4, 0xc8, 0xcc];
/** The decoders know baseline, extended and progressive Huffman frames. */
const PROGRESSIVE = 0xc2;
const SOS = 0xda;
const EOI = 0xd9;
const APP2 = 0xe2;
const APP14 = 0xee;

/**
 * A progressive picture is decoded once for each of its scans, and a kilobyte can contain dozens of them.
 * The limit allows the usual ten, for 100 megapixels, three times.
 */
const MAX_SCANNED_PIXELS = 3e9;

export interface JpegHeader extends PictureSize {
  readonly channels: number;
  /** An ICC profile is embedded. */
  readonly hasProfile: boolean;
}

export const JPEG: PictureFormat<JpegHeader> = {
  name: 'JPEG',
  matches: (bytes) => textAt(bytes, 0, 3) === '\xff\xd8\xff',
  readHeader: readJpegHeader,
  decode: decodeJpeg,
  orientationOf,
  // Without a profile CMYK has no fixed meaning: sharp assumes some inks.
  forSharp: ({ channels, hasProfile }) =>
    channels !== 4 || hasProfile ? { isCmyk: channels === 4, isOpaque: true } : undefined,
};

async function decodeJpeg(bytes: Uint8Array, { channels }: JpegHeader): Promise<DecodedPicture> {
  if (channels === 4) return decodeWithJpegJs(bytes);
  return { ...(await decodeWithMozjpeg(bytes)), decoder: 'mozjpeg', isOpaque: true };
}

const MOZJPEG: CodecFiles = {
  script: () => import('@jsquash/jpeg/codec/dec/mozjpeg_dec.js'),
  wasm: '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm',
  format: 'JPEG',
};

const runMozjpeg = codecRunner(MOZJPEG);

/** The codec's option to apply the EXIF orientation: off, because we do that. */
const TURNED = false;

/**
 * One or three channels → RGBA.
 *
 * @throws {FormatError} for missing pixels, Error with the decoder's message for damaged ones
 */
export async function decodeWithMozjpeg(bytes: Uint8Array): Promise<Picture> {
  const { picture, said } = await runMozjpeg(bytes, TURNED);
  if (picture !== null && said.length === 0) return picture;
  const warning = said.join('; ');
  if (/^premature end of jpeg file/i.test(warning)) {
    // Either only the end marker is missing, or pixels are: the added marker leaves only the second error.
    const ended = await runMozjpeg(Buffer.concat([bytes, Uint8Array.of(0xff, EOI)]), TURNED);
    if (ended.picture !== null && ended.said.length === 0) return ended.picture;
    throw new FormatError('truncated: its JPEG data stops early');
  }
  // Stray bytes between segments, and unusual headers, are harmless.
  const isDamage = /^corrupt jpeg data/i.test(warning) && !/extraneous bytes/.test(warning);
  if (picture === null || isDamage) throw new Error(warning);
  // The decoder gives only its first warning, which may hide that the data stops early.
  if (!hasEnd(bytes)) throw new FormatError(`truncated: its JPEG data stops early (${warning})`);
  return picture;
}

/** Whether the file's last marker is an end marker; bytes may follow it. */
function hasEnd(bytes: Uint8Array): boolean {
  return (
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).lastIndexOf(
      '\xff\xd9',
      undefined,
      'latin1',
    ) > 0
  );
}

/** CMYK and YCCK, inverted as Adobe writes them. */
async function decodeWithJpegJs(bytes: Uint8Array): Promise<DecodedPicture> {
  const load = () => import('jpeg-js');
  const { default: jpegJs } = await optionalPackage('jpeg-js', 'a JPEG in CMYK', load);
  const { data, width, height } = jpegJs.decode(bytes, {
    useTArray: true,
    maxResolutionInMP: MAX_PIXELS / 1e6,
    // Its default limit of 512 MB stops at some 40 megapixels, because it keeps every coefficient.
    maxMemoryUsageInMB: 8192,
  });
  return { data, width, height, decoder: 'jpeg-js' };
}

export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const view = viewOf(bytes);
  let frame: Frame | undefined;
  let hasProfile = false;
  let hasAdobe = false;
  let at = 2;
  // Segments: FF, marker, length (which counts itself), data. The scan ends the header.
  for (; ; at += 2 + view.getUint16(at + 2)) {
    at = nextMarker(view, at);
    const marker = view.getUint8(at + 1);
    if (marker === SOS) break;
    if (marker === APP14 && textAt(bytes, at + 4, 5) === 'Adobe') hasAdobe = true;
    else if (marker === APP2 && textAt(bytes, at + 4, 11) === 'ICC_PROFILE') hasProfile = true;
    else if (marker >= SOF0 && marker <= SOF15 && !NOT_FRAMES.includes(marker)) {
      frame = readFrame(view, at + 4, marker);
    }
  }
  if (frame === undefined) throw new FormatError('a JPEG without a frame header');
  const { width, height } = frame;
  checkSize(width, height);
  // A block of 8×8 pixels has at least a code for its mean, of at least one bit. So a kilobyte cannot
  // claim to be a hundred megapixels, which would keep the decoder busy for long.
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8);
  if (blocks > 8 * bytes.length) {
    throw new FormatError(
      `truncated: ${width}×${height} JPEG pixels take ${Math.ceil(blocks / 8)} bytes or more, ${bytes.length} are there`,
    );
  }
  if (frame.channels === 4 && !hasAdobe) {
    throw new UnreadableKindError('a JPEG of four channels without a color mode');
  }
  if (frame.progressive) checkScans(bytes, at, width * height);
  return { width, height, channels: frame.channels, hasProfile };
}

/** Position of the next marker: after fill bytes, and after bytes that are not markers. */
function nextMarker(view: DataView, from: number): number {
  let at = from;
  while (view.getUint8(at) !== 0xff || [0, 0xff].includes(view.getUint8(at + 1))) at++;
  return at;
}

function checkScans(bytes: Uint8Array, from: number, pixels: number): void {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let scans = 0;
  for (let at = from; at >= 0; at = file.indexOf('\xff\xda', at + 2, 'latin1')) {
    if (++scans * pixels > MAX_SCANNED_PIXELS) {
      throw new UnreadableKindError(`a progressive JPEG of ${scans} scans or more`);
    }
  }
}

interface Frame extends PictureSize {
  readonly channels: number;
  readonly progressive: boolean;
}

function readFrame(view: DataView, segment: number, marker: number): Frame {
  if (marker > PROGRESSIVE) {
    const kind =
      marker >= 0xc9 ? 'an arithmetic-coded' : marker === 0xc3 ? 'a lossless' : 'a hierarchical';
    throw new UnreadableKindError(`${kind} JPEG`);
  }
  const bits = view.getUint8(segment);
  if (bits !== 8) throw new UnreadableKindError(`a JPEG of ${bits} bits`);
  const channels = view.getUint8(segment + 5);
  if (![1, 3, 4].includes(channels))
    throw new UnreadableKindError(`a JPEG of ${channels} channels`);
  return {
    height: view.getUint16(segment + 1),
    width: view.getUint16(segment + 3),
    channels,
    progressive: marker === PROGRESSIVE,
  };
}
