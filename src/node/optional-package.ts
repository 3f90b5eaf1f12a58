/**
 * Packages that `npm install --omit=optional` leaves out: the codecs of pictures, 20 MB that a program without such
 * pictures does without.
 */

import { UnsupportedError } from '../errors.js';

/**
 * Loads something of an optional package.
 *
 * @param name of the package, as npm knows it
 * @param use what it is for, as the message begins: `JPEG`
 * @throws {UnsupportedError} where the package is not there, with what to type
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
