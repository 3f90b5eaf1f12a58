/**
 * The zip around a PyTorch checkpoint, as entries by name. yauzl reads the directory (also zip64 and damaged
 * ones). Stored entries, as torch writes them, are pieces of the file. Compressed entries are inflated one
 * at a time: only to the size in the directory, and at most 256 MiB.
 */

import { Readable } from 'node:stream';
import { inflateRawSync } from 'node:zlib';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { FormatError } from '../errors.js';
import type { ByteSource } from '../model/index.js';
import type { OpenFile } from './open-file.js';
import type { CheckpointArchive } from './pytorch/index.js';

/** The largest tensor of a ResNet, a classifier of 21,843 classes, takes 171 MiB. */
const MAX_INFLATED_BYTES = 2 ** 28;

/** A ResNet-152 has 932 tensors, and an optimizer has three times as many. */
const MAX_ENTRIES = 100_000;

const STORED = 0;
const DEFLATED = 8;

/** @throws {FormatError} for an archive that is damaged, encrypted, or compressed by another method */
export async function openCheckpointZip(file: OpenFile): Promise<CheckpointArchive> {
  const name = file.path;
  const places = new Map<string, Place>();
  try {
    const zip = await fromRandomAccessReaderPromise(new PieceReader(file), file.length, {
      autoClose: false,
    });
    if (zip.entryCount > MAX_ENTRIES) {
      throw new FormatError(`${zip.entryCount} entries, at most ${MAX_ENTRIES} are read`);
    }
    for await (const entry of zip.eachEntry()) {
      if (places.has(entry.fileName)) {
        throw new FormatError(`two entries are called ${entry.fileName}`);
      }
      places.set(entry.fileName, await placeOf(zip, entry));
    }
  } catch (error) {
    throw new FormatError(`${name}: not a readable zip archive: ${(error as Error).message}`, {
      cause: error,
    });
  }

  let inflated: { readonly place: Place; readonly bytes: Uint8Array } | undefined;
  const inflate = (entry: string, place: Place): Uint8Array => {
    if (inflated?.place !== place) {
      // Release the old one before the new one is made.
      inflated = undefined;
      const packed = file.read(place.begin, place.begin + place.packedLength);
      inflated = { place, bytes: inflateExactly(packed, place.length, `${name}: entry ${entry}`) };
    }
    return inflated.bytes;
  };
  return {
    name,
    entries: new Map([...places].map(([entry, { length }]) => [entry, length])),
    read(entry, begin, end) {
      const place = places.get(entry)!;
      return place.deflated
        ? inflate(entry, place).subarray(begin, end)
        : file.read(place.begin + begin, place.begin + end);
    },
  };
}

/** The position of an entry's bytes in the file. */
interface Place {
  readonly begin: number;
  readonly packedLength: number;
  /** The uncompressed bytes. */
  readonly length: number;
  readonly deflated: boolean;
}

async function placeOf(zip: ZipFile, entry: Entry): Promise<Place> {
  const { fileName, compressionMethod, compressedSize, uncompressedSize } = entry;
  if (entry.isEncrypted()) throw new FormatError(`entry ${fileName} is encrypted`);
  const deflated = compressionMethod === DEFLATED;
  if (!deflated && compressionMethod !== STORED) {
    throw new FormatError(
      `entry ${fileName} is packed by method ${compressionMethod}, expected stored or deflated`,
    );
  }
  if (deflated && uncompressedSize > MAX_INFLATED_BYTES) {
    throw new FormatError(
      `entry ${fileName} inflates to ${uncompressedSize} bytes, at most ${MAX_INFLATED_BYTES} are`,
    );
  }
  const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
  return { begin: fileDataStart, packedLength: compressedSize, length: uncompressedSize, deflated };
}

function inflateExactly(packed: Uint8Array, length: number, what: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    // Reading one byte more than expected shows whether there is more.
    bytes = inflateRawSync(packed, { maxOutputLength: length + 1 });
  } catch (error) {
    throw new FormatError(`${what} does not inflate: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (bytes.length !== length) {
    throw new FormatError(`${what} expected ${length} bytes, inflates to ${bytes.length}`);
  }
  return bytes;
}

/** The reader that yauzl needs, over pieces of a file. */
class PieceReader extends RandomAccessReader {
  readonly #file: ByteSource;

  constructor(file: ByteSource) {
    super();
    this.#file = file;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    try {
      buffer.set(this.#file.read(position, position + length), offset);
    } catch (error) {
      return void process.nextTick(callback, error);
    }
    process.nextTick(callback, null);
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from([this.#file.read(start, end)]);
  }
}
