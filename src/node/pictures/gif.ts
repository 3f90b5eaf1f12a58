/**
 * GIF: the first frame on its canvas, by omggif; here the canvas, the frame's rectangle and its codes are
 * checked. Source: GIF89a specification,
 * §18–24 and appendix F.
 */

import { FormatError } from '../../errors.js';
import { optionalPackage } from '../optional-package.js';
import type { DecodedPicture, PictureFormat } from './format.js';
import { checkSize, type PictureSize, textAt, viewOf } from './header.js';
import { quietly } from './quietly.js';

const EXTENSION = 0x21;
const FRAME = 0x2c;
const END = 0x3b;

export const GIF: PictureFormat<FirstFrame> = {
  name: 'GIF',
  matches: (bytes) => /^GIF8[79]a/.test(textAt(bytes, 0, 6)),
  readHeader: readFirstFrame,
  decode: decodeGif,
  orientationOf: () => 1,
  forSharp: () => undefined,
};

async function decodeGif(bytes: Uint8Array, { end }: FirstFrame): Promise<DecodedPicture> {
  const load = () => import('omggif');
  const { GifReader } = (await optionalPackage('omggif', 'GIF', load)).default;
  // It reads all frames, however many there are, so it gets only the first.
  const first = Buffer.concat([bytes.subarray(0, end), Uint8Array.of(END)]);
  const reader = new GifReader(first);
  const { width, height } = reader;
  const data = new Uint8Array(4 * width * height);
  const { said } = quietly(() => reader.decodeAndBlitFrameRGBA(0, data));
  // This is the only sign that a frame stops early; its pixels are then noise.
  const warning = said.find((line) => line.includes('shorter'));
  if (warning !== undefined) throw new Error(warning);
  return { data, width, height, decoder: 'gif' };
}

/** Size of the canvas, and where the blocks of the first frame end. */
interface FirstFrame extends PictureSize {
  readonly end: number;
}

function readFirstFrame(bytes: Uint8Array): FirstFrame {
  const view = viewOf(bytes);
  const width = view.getUint16(6, true);
  const height = view.getUint16(8, true);
  const table = tableBytes(view.getUint8(10));
  // The global color table follows the screen descriptor.
  let at = 13 + table;
  while (view.getUint8(at) === EXTENSION) at = skipSubBlocks(view, at + 2);
  const block = view.getUint8(at);
  if (block === END) throw new FormatError('a GIF without a frame');
  if (block !== FRAME) throw new FormatError(`an unknown GIF block at byte ${at}`);
  checkFrame(view, at, width, height);
  const pixels = view.getUint16(at + 5, true) * view.getUint16(at + 7, true);
  const ownTable = tableBytes(view.getUint8(at + 9));
  if (table + ownTable === 0) throw new FormatError('a GIF without colors');
  const codes = at + 10 + ownTable;
  checkCodes(view, codes, pixels);
  return { width, height, end: skipSubBlocks(view, codes + 1) };
}

/** Bytes of a color table: the top bit says that there is one, the three lowest bits give its size. */
function tableBytes(flags: number): number {
  return flags & 0x80 ? 3 << ((flags & 7) + 1) : 0;
}

/** Where sub-blocks end, each after its size: after the one of size 0, or at the end of the file. */
function skipSubBlocks(view: DataView, begin: number): number {
  let at = begin;
  while (at < view.byteLength) {
    const size = view.getUint8(at++);
    if (size === 0) return at;
    at += size;
  }
  return view.byteLength;
}

/** The decoder trusts the frame's own size, which can differ from the canvas's. */
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

const LAST_WIDTH = 12;

/**
 * Follows the LZW codes of a frame until its pixels are complete. With some codes that are used before
 * they are defined the decoder never returns, and it decodes a frame that stops early to noise.
 *
 * @param at position of the size of the smallest codes, followed by sub-blocks of codes
 */
function checkCodes(view: DataView, at: number, pixels: number): void {
  const colorBits = view.getUint8(at);
  if (colorBits < 1 || colorBits > 8) throw new FormatError(`a GIF of ${colorBits}-bit colors`);
  const clear = 1 << colorBits;
  const end = clear + 1;
  /** Number of pixels for each code. */
  const lengths = new Uint32Array(1 << LAST_WIDTH);
  let next = end + 1;
  let width = colorBits + 1;
  let previous = 0; // pixels of the code before; 0 after a clear
  let bits = 0;
  let held = 0;
  let left = 0; // bytes of the sub-block
  let i = at + 1;
  for (let there = 0; there < pixels; ) {
    while (held < width) {
      if (left === 0) left = view.getUint8(i++);
      if (left === 0) throw new FormatError(truncated(there, pixels));
      bits |= view.getUint8(i++) << held;
      held += 8;
      left--;
    }
    const code = bits & ((1 << width) - 1);
    bits >>>= width;
    held -= width;
    if (code === end) throw new FormatError(truncated(there, pixels));
    if (code === clear) {
      next = end + 1;
      width = colorBits + 1;
      previous = 0;
      continue;
    }
    if (previous > 0 && next < 1 << LAST_WIDTH) {
      lengths[next++] = previous + 1;
      if (next === 1 << width && width < LAST_WIDTH) width++;
    }
    if (code >= next) throw new FormatError(`damaged: GIF code ${code} before it is defined`);
    previous = code < clear ? 1 : lengths[code]!;
    there += previous;
  }
}

function truncated(there: number, pixels: number): string {
  return `truncated: the first GIF frame has ${pixels} pixels, ${there} are there`;
}
