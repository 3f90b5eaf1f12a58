/** A file's bytes: in memory, or read piece by piece by whoever has the file. */

import { kindOf } from '../../errors.js';

export interface ByteSource {
  readonly length: number;
  /** Bytes `begin` … `end`, which lie in the file; a view or a copy. */
  read(begin: number, end: number): Uint8Array;
}

/** What to do with what is not bytes yet. */
const HINTS: Readonly<Record<string, string>> = {
  Blob: ': pass its stream()',
  File: ': pass its stream()',
  Response: ': pass its body',
};

/** @throws {TypeError} in the name of `operation`, for what is neither bytes nor a stream of them */
export function checkFile(operation: string, file: unknown): void {
  const kind = kindOf(file);
  if (/^(Uint8Array|(Shared)?ArrayBuffer)$/.test(kind) || 'getReader' in Object(file)) return;
  const hint = typeof file === 'string' ? ': paths are not read here' : (HINTS[kind] ?? '');
  throw new TypeError(
    `${operation}: file expected an ArrayBuffer, a Uint8Array or a ReadableStream, got ${kind}${hint}`,
  );
}

export function byteSource(file: ArrayBuffer | Uint8Array | ByteSource): ByteSource {
  if ('read' in Object(file)) return file as ByteSource;
  checkFile('parse', file);
  // A plain Uint8Array also over a Node Buffer, whose slice() would not copy.
  const bytes =
    file instanceof Uint8Array
      ? new Uint8Array(file.buffer, file.byteOffset, file.byteLength)
      : new Uint8Array(file as ArrayBuffer);
  return { length: bytes.length, read: (begin, end) => bytes.subarray(begin, end) };
}
