/** Inflates data up to the number of bytes that the file states. */

import { inflateSync } from 'node:zlib';
import { FormatError } from '../../errors.js';

/** Deflate compresses at most 1:1032. */
const MOST_EXPANSION = 1032;

/**
 * The bytes of a zlib stream, at most `limit`. A kilobyte can inflate to a megabyte, and decoders
 * that do not know how much there will be run out of memory.
 */
export function inflateAtMost(packed: Uint8Array, limit: number): Uint8Array {
  try {
    // In one piece if possible: joining pieces takes twice the memory.
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
