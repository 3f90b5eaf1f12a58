/** Files that are read in pieces on demand, so that a model is never in memory as a whole. */

import { closeSync, openSync, readSync } from 'node:fs';
import { FormatError } from '../errors.js';
import type { ByteSource } from '../model/index.js';
import { readFileBytes, statFile, systemReason } from './file-bytes.js';

export interface OpenFile extends ByteSource {
  readonly path: string;
  close(): void;
}

/**
 * Opens a file that is not empty. A pipe cannot be read in pieces and is read as a whole.
 *
 * @param expected what the file should be, for messages: `a model`
 * @throws {FormatError} naming the file and why it cannot be read; so does `read`
 */
export async function openFile(path: string, expected: string): Promise<OpenFile> {
  const found = await statFile(path, expected);
  if (found.isFIFO() || found.size === 0) {
    const bytes = await readFileBytes(path, expected);
    const { length } = bytes;
    return { path, length, read: (begin, end) => bytes.subarray(begin, end), close: () => {} };
  }
  const file = attempt(path, () => openSync(path, 'r'));
  return {
    path,
    length: found.size,
    read: (begin, end) => readPiece(file, path, begin, end),
    close: () => closeSync(file),
  };
}

function readPiece(file: number, path: string, begin: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - begin);
  for (let done = 0; done < bytes.length; ) {
    const left = bytes.length - done;
    const read = attempt(path, () => readSync(file, bytes, done, left, begin + done));
    if (read === 0) throw new FormatError(`${path}: became shorter while it was read`);
    done += read;
  }
  return bytes;
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new FormatError(`${path}: ${systemReason(error)}`, { cause: error });
  }
}
