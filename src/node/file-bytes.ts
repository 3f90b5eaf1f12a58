/** Reads a whole file; a failure gives a reason of one line. */

import type { Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { FormatError } from '../errors.js';

/** A larger file is a mistake: 2 GiB is also the limit of Node's own readFile. */
const MAX_FILE_BYTES = 2 ** 31 - 1;

const REASONS: Record<string, string> = {
  ENOENT: 'no such file',
  ENOTDIR: 'a part of its path is not a directory',
  EEXIST: 'a file with that name already exists',
  EISDIR: 'is a directory',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its symbolic links form a loop',
  EMFILE: 'too many files are open',
};

/**
 * The bytes of a file.
 *
 * @param expected what the file should be, for messages: `a picture`, `a model`
 * @throws {FormatError} naming the file and why it cannot be read
 */
export async function readFileBytes(path: string, expected: string): Promise<Uint8Array> {
  try {
    const found = await statFile(path, expected);
    if (found.size > MAX_FILE_BYTES) {
      throw new FormatError(`${path}: ${found.size} bytes are too many for ${expected} file`);
    }
    const bytes = await readFile(path);
    if (bytes.length === 0) throw new FormatError(`${path}: is empty, expected ${expected} file`);
    return bytes;
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(`${path}: ${systemReason(error)}`, { cause: error });
  }
}

/**
 * What the file system knows about a file.
 *
 * @throws {FormatError} as `readFileBytes`, and for anything that is neither a file nor a pipe
 */
export async function statFile(path: string, expected: string): Promise<Stats> {
  try {
    const found = await stat(path);
    if (found.isFile() || found.isFIFO()) return found;
    const what = found.isDirectory() ? 'a directory' : 'a device or a socket';
    throw new FormatError(`${path}: is ${what}, expected ${expected} file`);
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(`${path}: ${systemReason(error)}`, { cause: error });
  }
}

/** Why a file operation failed, without the path that Node puts into its message. */
export function systemReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? code ?? message;
}
