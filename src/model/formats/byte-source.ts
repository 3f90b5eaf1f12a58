/** A file's bytes: in memory, or read piece by piece by the caller. */

import { kindOf, refuseKind } from '../../errors.js';

export interface ByteSource {
  readonly length: number;
  /** Bytes `begin` … `end`, which must be in the file; a view or a copy. */
  read(begin: number, end: number): Uint8Array;
}

/** How to get bytes from other objects. */
const HINTS: Readonly<Record<string, string>> = {
  Blob: ' (its stream)',
  File: ' (its stream)',
  Response: ' (its body)',
};

/** @throws {TypeError} in the name of `operation`, if `file` is neither bytes nor a stream of bytes */
export function checkFile(operation: string, file: unknown): void {
  const kind = kindOf(file);
  if (/^(Uint8Array|(Shared)?ArrayBuffer)$/.test(kind) || 'getReader' in Object(file)) return;
  const hint = typeof file === 'string' ? ' (no path)' : (HINTS[kind] ?? '');
  refuseKind(`${operation}: file`, `an ArrayBuffer, Uint8Array or ReadableStream${hint}`, file);
}

export function byteSource(file: ArrayBuffer | Uint8Array | ByteSource): ByteSource {
  if ('read' in Object(file)) return file as ByteSource;
  checkFile('parse', file);
  // Makes a plain Uint8Array also from a Node Buffer, because slice() of a Buffer does not copy.
  const bytes =
    file instanceof Uint8Array
      ? new Uint8Array(file.buffer, file.byteOffset, file.byteLength)
      : new Uint8Array(file as ArrayBuffer);
  return { length: bytes.length, read: (begin, end) => bytes.subarray(begin, end) };
}
