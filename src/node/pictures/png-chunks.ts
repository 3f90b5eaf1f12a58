/** A PNG's chunks: length, type, data, CRC-32. Source: W3C PNG, 3rd edition, §5.3 and annex D. */

import { crc32 } from 'node:zlib';
import { FormatError } from '../../errors.js';
import { textAt, UnreadableKindError, viewOf } from './header.js';

export interface PngChunk {
  readonly type: string;
  readonly data: Uint8Array;
  /** CRC of type and data, as stored. */
  readonly crc: number;
}

/** All complete chunks up to IEND. Anything after it does not belong to the picture. */
export function pngChunks(bytes: Uint8Array): PngChunk[] {
  const view = viewOf(bytes);
  const chunks: PngChunk[] = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const begin = at + 8;
    const end = begin + view.getUint32(at);
    const type = textAt(bytes, at + 4, 4);
    if (type === 'CgBI') throw new UnreadableKindError('a PNG in the format of iOS apps (CgBI)');
    if (end + 4 > bytes.length) break;
    chunks.push({ type, data: bytes.subarray(begin, end), crc: view.getUint32(end) });
    if (type === 'IEND') break;
    at = end + 4;
  }
  return chunks;
}

/** The longest chunk that is checked is a palette of 256 colors. */
const MOST_CHECKED_BYTES = 768;

/** Checks a small chunk. Pixels have zlib's own checksum, and other chunks are not needed. */
export function checkChunk({ type, data, crc }: PngChunk): void {
  if (data.length > MOST_CHECKED_BYTES) {
    throw new FormatError(`damaged: PNG chunk ${type} of ${data.length} bytes`);
  }
  if (crc32(data, crc32(Buffer.from(type, 'latin1'))) !== crc)
    throw new FormatError(`damaged: PNG chunk ${type} has a wrong checksum`);
}
