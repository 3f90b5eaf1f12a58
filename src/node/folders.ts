/** Folders to write into. */

import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FormatError } from '../errors.js';
import { systemReason } from './file-bytes.js';

/**
 * Makes a folder, and those above it that there are not.
 *
 * @throws {FormatError} naming the folder and why it cannot be made
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await makeFolders(path);
  } catch (error) {
    throw new FormatError(`${path}: cannot be created: ${systemReason(error)}`, { cause: error });
  }
}

/** As `mkdir` with `recursive`, which never ends where folders cannot be made, as in /proc. */
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
