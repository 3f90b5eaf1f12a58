/**
 * A strip or tile of a TIFF → its uncompressed bytes, and no more than its rows need.
 *
 * geotiff's own decoders are not used where damaged files break them: its LZW never returns for
 * some codes, and unpacks into an array of numbers, as PackBits does; its deflate and zstd have no
 * limit. JPEG and WebP are decoded by our decoders for them.
 *
 * Source: Adobe, TIFF 6.0, §9 (PackBits), §13 (LZW); deflate and JPEG: Photoshop TIFF technical notes.
 */

import { FormatError } from '../../../errors.js';
import { optionalPackage } from '../../optional-package.js';
import { UnreadableKindError } from '../header.js';
import { inflateAtMost } from '../inflate.js';
import { COMPRESSION } from './layout.js';

/** The most bytes of a zstd piece: the decoder's memory never shrinks. */
const MAX_ZSTD_BYTES = 1 << 28;

/** @param limit bytes that the piece's rows need */
export async function unpack(
  packed: Uint8Array,
  compression: number,
  limit: number,
): Promise<Uint8Array> {
  switch (compression) {
    case COMPRESSION.none:
      return packed;
    case COMPRESSION.lzw:
      return unpackLzw(packed, limit);
    case COMPRESSION.packBits:
      return unpackBits(packed, limit);
    case COMPRESSION.zstd:
      return unpackZstd(packed, limit);
    default:
      return inflateAtMost(packed, limit);
  }
}

async function unpackZstd(packed: Uint8Array, limit: number): Promise<Uint8Array> {
  if (limit > MAX_ZSTD_BYTES) throw new FormatError(`a zstd TIFF piece of ${limit} bytes`);
  const load = () => import('zstddec');
  const { ZSTDDecoder } = await optionalPackage('zstddec', 'a TIFF with zstd', load);
  const decoder = new ZSTDDecoder();
  await decoder.init();
  return decoder.decode(packed, limit);
}

/** Runs: n ≥ 0 means n + 1 plain bytes follow, n < 0 a byte repeated 1 − n times, −128 nothing. */
function unpackBits(packed: Uint8Array, limit: number): Uint8Array {
  const out = new Uint8Array(limit);
  let o = 0;
  for (let i = 0; i + 1 < packed.length && o < limit; ) {
    const n = (packed[i++]! << 24) >> 24;
    if (n >= 0) {
      const run = packed.subarray(i, i + Math.min(n + 1, limit - o));
      out.set(run, o);
      o += run.length;
      i += n + 1;
    } else if (n > -128) {
      const length = Math.min(1 - n, limit - o);
      out.fill(packed[i++]!, o, o + length);
      o += length;
    }
  }
  return out.slice(0, o);
}

const CLEAR = 256;
const END = 257;
const FIRST_WIDTH = 9;
const LAST_WIDTH = 12;

/**
 * LZW, codes of 9 to 12 bits, the most significant bit first. A table entry is the string before it
 * and one more character. The output already contains this text, so the table only holds positions.
 */
function unpackLzw(packed: Uint8Array, limit: number): Uint8Array {
  // Old files begin with the clear code, with the least significant bit first.
  if (packed[0] === 0 && (packed[1]! & 1) === 1)
    throw new UnreadableKindError('an old-style LZW TIFF');
  const out = new Uint8Array(limit);
  const starts = new Uint32Array(1 << LAST_WIDTH);
  const lengths = new Uint32Array(1 << LAST_WIDTH);
  let next = END + 1;
  let width = FIRST_WIDTH;
  let start = 0;
  let length = 0; // of the string before; 0 after a clear
  let bits = 0;
  let held = 0;
  let o = 0;
  for (let i = 0; o < limit; ) {
    while (held < width) {
      if (i === packed.length) return out.slice(0, o);
      bits = ((bits & 0xfff) << 8) | packed[i++]!;
      held += 8;
    }
    held -= width;
    const code = (bits >>> held) & ((1 << width) - 1);
    if (code === END) break;
    if (code === CLEAR) {
      next = END + 1;
      width = FIRST_WIDTH;
      length = 0;
      continue;
    }
    const begin = o;
    if (length > 0 && next < 1 << LAST_WIDTH) {
      starts[next] = start;
      lengths[next] = length + 1;
      next++;
      // One code early, as the format requires.
      if (next + 1 === 1 << width && width < LAST_WIDTH) width++;
    }
    if (code < CLEAR) {
      out[o++] = code;
      length = 1;
    } else if (code < next) {
      length = lengths[code]!;
      // Byte by byte: the newest string overlaps its own source.
      for (let from = starts[code]!; o < limit && o < begin + length; ) out[o++] = out[from++]!;
    } else {
      throw new FormatError(`damaged: TIFF LZW code ${code} before it is defined`);
    }
    start = begin;
  }
  return out.slice(0, o);
}
