/** Inflating what a file claims to be no more than so many bytes. */

import { inflateSync } from 'node:zlib';
import { FormatError } from '../../errors.js';

/** Deflate packs no better than 1:1032. */
const MOST_EXPANSION = 1032;

/**
 * The bytes of a zlib stream, at most `limit`. A kilobyte can inflate to a megabyte, and decoders
 * that do not ask how much there will be run out of memory.
 */
export function inflateAtMost(packed: Uint8Array, limit: number): Uint8Array {
  try {
    // In one piece where it can be: pieces would be put together in memory twice the size.
    const chunkSize = 64 + Math.min(limit, MOST_EXPANSION * packed.length);
    return inflateSync(packed, { maxOutputLength: limit, chunkSize });
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case 'ERR_BUFFER_TOO_LARGE':
        throw new FormatError(`damaged: inflates to more than the ${limit} bytes of its pixels`);
      case 'Z_BUF_ERROR':
        throw new FormatError('truncated: its compressed pixels stop early');
      default:
        throw error;
    }
  }
}
