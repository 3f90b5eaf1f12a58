/**
 * The errors of the core. A wrong *type* is a `TypeError`; a wrong value or shape is a
 * `ShapeError`; a file that cannot be read is a `FormatError`.
 */

/** An array, shape or option has a value the operation cannot work on. */
export class ShapeError extends RangeError {
  override readonly name: string = 'ShapeError';
}

/** A file cannot be read. The message names the byte offset or the tensor. */
export class FormatError extends Error {
  override readonly name: string = 'FormatError';
}

/** The engine does not support what was asked for. */
export class UnsupportedError extends Error {
  override readonly name: string = 'UnsupportedError';
}

/** Describes a wrong argument in messages: its value if that is short, else its kind. */
export function kindOf(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (Object(value) !== value) return String(value);
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  return kind === 'Promise' ? 'a Promise: await it' : kind;
}

/** @throws {TypeError} `what: expected …, got …` */
export function refuseKind(what: string, expected: string, value: unknown): never {
  throw new TypeError(`${what} expected ${expected}, got ${kindOf(value)}`);
}

/** @throws {ShapeError} that begins with `option`, for a value that is not allowed */
export function oneOf(option: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return;
  const got = typeof value === 'string' ? value : kindOf(value);
  throw new ShapeError(`${option}: expected ${allowed.join(', ')}, got ${got}`);
}

/**
 * Makes sure that extents are whole numbers.
 *
 * @throws {ShapeError} in the name of `operation`, naming the extent
 */
export function expectWhole(
  operation: string,
  extents: Readonly<Record<string, number>>,
  least = 1,
): void {
  for (const [name, value] of Object.entries(extents)) {
    if (Number.isInteger(value) && value >= least) continue;
    throw new ShapeError(
      `${operation}: ${name} expected a whole number ≥ ${least}, got ${kindOf(value)}`,
    );
  }
}

/** Runs an action that does not know the file's name, and puts the name before the message of its FormatError. */
export function inFile<T>(name: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(`${name}: ${error.message}`);
    throw error;
  }
}
