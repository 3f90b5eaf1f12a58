/**
 * Packages that `npm install --omit=optional` leaves out: the picture codecs, 20 MB that programs without such
 * pictures do not need.
 */

import { UnsupportedError } from '../errors.js';

/**
 * Loads something of an optional package.
 *
 * @param name the package's name in npm
 * @param use what it is for, the start of the message: `JPEG`
 * @throws {UnsupportedError} if the package is not installed, with the command to install it
 */
export async function optionalPackage<T>(
  name: string,
  use: string,
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new UnsupportedError(
      `${use} needs the package ${name}, which is not installed: npm install ${name}`,
      { cause },
    );
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
}
