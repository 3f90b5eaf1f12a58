/**
 * WebP, by libwebp in WebAssembly; for an animation the first frame on its canvas. Source: RFC 9649, §2
 * (container) and §3 (lossless header); RFC 6386, §9.1 (lossy header).
 */

import { FormatError } from '../../errors.js';
import { type Orientation, orientationOf } from '../../image/orientation.js';
import type { Picture } from '../../image/picture.js';
import { placePicture } from '../place-picture.js';
import { exifBody } from './exif.js';
import type { DecodedPicture, PictureFormat } from './format.js';
import { checkSize, type PictureSize, textAt, viewOf } from './header.js';
import { type CodecFiles, codecRunner, type RunCodec } from './wasm-codec.js';

const ANIMATION_FLAG = 0x02;
const ALPHA_FLAG = 0x10;
const VP8L_SIGNATURE = 0x2f;
/** Bytes of a frame's rectangle and duration, before its chunks. */
const FRAME_HEADER = 16;

const LIBWEBP: CodecFiles = {
  script: () => import('@jsquash/webp/codec/dec/webp_dec.js'),
  wasm: '@jsquash/webp/codec/dec/webp_dec.wasm',
  format: 'WebP',
};

export const runLibwebp: RunCodec = codecRunner(LIBWEBP);

export const WEBP: PictureFormat = {
  name: 'WebP',
  matches: (bytes) => textAt(bytes, 0, 4) === 'RIFF' && textAt(bytes, 8, 4) === 'WEBP',
  readHeader: readSize,
  decode: decodeWebp,
  orientationOf: orientationOfWebp,
  forSharp: () => ({ isCmyk: false, isOpaque: false }),
};

async function decodeWebp(bytes: Uint8Array, canvas: PictureSize): Promise<DecodedPicture> {
  const [first] = chunksOf(bytes, 12);
  const isAnimated = first?.type === 'VP8X' && (first.data[0]! & ANIMATION_FLAG) !== 0;
  const picture = isAnimated ? await decodeFirstFrame(bytes, canvas) : await decodeStill(bytes);
  return { ...picture, decoder: 'libwebp' };
}

async function decodeStill(bytes: Uint8Array): Promise<Picture> {
  const { picture, said } = await runLibwebp(bytes);
  if (picture !== null) return picture;
  const claimed = 8 + viewOf(bytes).getUint32(4, true);
  if (claimed > bytes.length) {
    throw new FormatError(`truncated: WebP of ${claimed} bytes, ${bytes.length} are there`);
  }
  throw new Error(said.join('; ') || 'its pixels cannot be decoded');
}

/** The codec refuses animations, so the frame's chunks are made into a file, and the result is put on the canvas. */
async function decodeFirstFrame(
  bytes: Uint8Array,
  { width, height }: PictureSize,
): Promise<Picture> {
  const frame = chunksOf(bytes, 12).find(({ type }) => type === 'ANMF')?.data;
  if (frame === undefined) throw new FormatError('truncated: a WebP animation without a frame');
  const left = 2 * uint24(frame, 0);
  const top = 2 * uint24(frame, 3);
  const size = { width: uint24(frame, 6) + 1, height: uint24(frame, 9) + 1 };
  if (left + size.width > width || top + size.height > height) {
    throw new FormatError(
      `the first WebP frame reaches ${left + size.width}×${top + size.height}, outside the canvas of ${width}×${height}`,
    );
  }
  const picture = await decodeStill(stillFile(frame.subarray(FRAME_HEADER), size));
  if (picture.width !== size.width || picture.height !== size.height) {
    throw new FormatError(
      `damaged: a WebP frame of ${size.width}×${size.height} pixels decodes to another size`,
    );
  }
  if (size.width === width && size.height === height) return picture;
  const canvas = { data: new Uint8Array(4 * width * height), width, height };
  placePicture(canvas, picture, left, top);
  return canvas;
}

function stillFile(chunks: Uint8Array, { width, height }: PictureSize): Uint8Array {
  const file = new Uint8Array(30 + chunks.length);
  const view = viewOf(file);
  file.set(Buffer.from('RIFF....WEBPVP8X'));
  view.setUint32(4, file.length - 8, true);
  view.setUint32(16, 10, true);
  const hasAlpha = textAt(chunks, 0, 4) === 'ALPH' || textAt(chunks, 0, 4) === 'VP8L';
  file[20] = hasAlpha ? ALPHA_FLAG : 0;
  // Width and height minus one, 24 bits each; the second overwrites the top byte of the first.
  view.setUint32(24, width - 1, true);
  view.setUint16(27, (height - 1) & 0xffff, true);
  file[29] = (height - 1) >> 16;
  file.set(chunks, 30);
  return file;
}

function readSize(bytes: Uint8Array): PictureSize {
  const size = sizeOf(bytes);
  checkSize(size.width, size.height);
  return size;
}

function sizeOf(bytes: Uint8Array): PictureSize {
  const [first] = chunksOf(bytes, 12);
  if (first === undefined) throw new FormatError('truncated: a WebP without pixels');
  const { type, data } = first;
  const view = viewOf(data);
  if (type === 'VP8X') return { width: uint24(data, 4) + 1, height: uint24(data, 7) + 1 };
  if (type === 'VP8 ') {
    return { width: view.getUint16(6, true) & 0x3fff, height: view.getUint16(8, true) & 0x3fff };
  }
  if (type === 'VP8L' && view.getUint8(0) === VP8L_SIGNATURE) {
    const bits = view.getUint32(1, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  throw new FormatError(`a WebP that begins with a chunk ${JSON.stringify(type)}`);
}

function orientationOfWebp(bytes: Uint8Array): Orientation {
  const exif = chunksOf(bytes, 12).find(({ type }) => type === 'EXIF');
  return exif === undefined ? 1 : orientationOf(exifBody(exif.data));
}

interface Chunk {
  readonly type: string;
  /** Shorter than the chunk says at the end of the file. */
  readonly data: Uint8Array;
}

/** Chunks from byte `at` on: type, length, data, and a byte of padding after an odd length. */
function chunksOf(bytes: Uint8Array, at: number): Chunk[] {
  const view = viewOf(bytes);
  const chunks: Chunk[] = [];
  for (let begin = at; begin + 8 <= bytes.length; ) {
    const end = begin + 8 + view.getUint32(begin + 4, true);
    chunks.push({ type: textAt(bytes, begin, 4), data: bytes.subarray(begin + 8, end) });
    begin = end + (end & 1);
  }
  return chunks;
}

function uint24(bytes: Uint8Array, at: number): number {
  const view = viewOf(bytes);
  return view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
}
