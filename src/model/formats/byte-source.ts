/** A file's bytes: in memory, or read piece by piece by whoever has the file. */

export interface ByteSource {
  readonly length: number;
  /** Bytes `begin` … `end`, which lie in the file; a view or a copy. */
  read(begin: number, end: number): Uint8Array;
}

export function byteSource(file: ArrayBuffer | Uint8Array | ByteSource): ByteSource {
  if ('read' in file) return file;
  // A plain Uint8Array also over a Node Buffer, whose slice() would not copy.
  const bytes =
    file instanceof Uint8Array
      ? new Uint8Array(file.buffer, file.byteOffset, file.byteLength)
      : new Uint8Array(file);
  return { length: bytes.length, read: (begin, end) => bytes.subarray(begin, end) };
}
