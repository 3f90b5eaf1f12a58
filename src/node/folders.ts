/** Folders to write into. */

import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FormatError } from '../errors.js';
import { systemReason } from './file-bytes.js';

/**
 * Creates a folder, and missing folders above it.
 *
 * @throws {FormatError} naming the folder and why it cannot be created
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await makeFolders(path);
  } catch (error) {
    throw new FormatError(`${path}: cannot be created: ${systemReason(error)}`, { cause: error });
  }
}

/** Like `mkdir` with `recursive`, which never returns if folders cannot be created, as in /proc. */
async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(path) !== path) {
      await makeFolders(dirname(path));
      await mkdir(path);
    } else if (!(code === 'EEXIST' && (await stat(path)).isDirectory())) {
      throw error;
    }
  }
}
