/** A file's bytes: in memory, or read piece by piece by whoever has the file. */

import { kindOf, refuseKind } from '../../errors.js';

export interface ByteSource {
  readonly length: number;
  /** Bytes `begin` … `end`, which lie in the file; a view or a copy. */
  read(begin: number, end: number): Uint8Array;
}

/** What of another object are bytes. */
const HINTS: Readonly<Record<string, string>> = {
  Blob: ' (its stream)',
  File: ' (its stream)',
  Response: ' (its body)',
};

/** @throws {TypeError} in the name of `operation`, for what is neither bytes nor a stream of them */
export function checkFile(operation: string, file: unknown): void {
  const kind = kindOf(file);
  if (/^(Uint8Array|(Shared)?ArrayBuffer)$/.test(kind) || 'getReader' in Object(file)) return;
  const hint = typeof file === 'string' ? ' (no path)' : (HINTS[kind] ?? '');
  refuseKind(`${operation}: file`, `an ArrayBuffer, Uint8Array or ReadableStream${hint}`, file);
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
