/**
 * The errors of the core. A wrong *type* is a `TypeError`; a wrong value or shape is a
 * `ShapeError`; a file that cannot be read is a `FormatError`.
 */

/** An array, shape or option has a value the operation cannot work on. */
export class ShapeError extends RangeError {
  override readonly name: string = 'ShapeError';
}

/** A file is not what it should be. The message names the byte offset or the tensor. */
export class FormatError extends Error {
  override readonly name: string = 'FormatError';
}

/** The engine this runs in lacks what was asked of it. */
export class UnsupportedError extends Error {
  override readonly name: string = 'UnsupportedError';
}

/** Runs an action that does not know the file's name, and puts it before the FormatError it ends in. */
export function inFile<T>(name: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(`${name}: ${error.message}`);
    throw error;
  }
}
