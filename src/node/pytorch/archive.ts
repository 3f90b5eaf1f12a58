/**
 * Checkpoints that `torch.save` has written since 1.6, and TorchScript programs: an archive (zip) of
 *
 *   <root>/data.pkl         a pickle: what was saved, its tensors as (storage, offset, size, stride)
 *   <root>/data/<key>       a storage: the elements of one or more tensors, without a header
 *   <root>/byteorder        `little`, if it is there
 *   <root>/constants.pkl    only in a program
 *   <root>/code/….py        the code of each class
 *
 * The archive is given as entries by name. Reading a zip needs an inflater, so it is left to code that has files
 * (src/node/checkpoint-zip.ts). Before a byte of either is read, a tensor must be inside its storage, and a
 * storage must have the stated length.
 *
 * Source: torch/serialization.py (`_save`), torch/csrc/jit/serialization.
 */

import { FormatError, inFile } from '../../errors.js';
import { type Checkpoint, checkpointOf } from './checkpoint.js';
import { checkPickleLength, readPickle } from './pickle.js';
import { ScriptCode } from './script-code.js';
import { type StorageBytes, storageOf, tensorBuilder } from './tensors.js';
import { shown } from './values.js';

/** The entries of a zip, from any zip reader. */
export interface CheckpointArchive {
  /** Its name in messages. */
  readonly name: string;
  /** Name → length in bytes, uncompressed. */
  readonly entries: ReadonlyMap<string, number>;
  /** Bytes `begin` … `end` of an entry; both are inside it. @throws {FormatError} for a damaged entry */
  read(entry: string, begin: number, end: number): Uint8Array;
}

/**
 * Reads a checkpoint of a zip: its dictionaries of tensors.
 *
 * @throws {FormatError} naming the entry, the byte of the pickle or the tensor: for an archive that is not a
 * checkpoint or is damaged, for one without tensors, and for a tensor outside its storage
 */
export function readArchive(archive: CheckpointArchive): Checkpoint {
  const { name } = archive;
  const root = rootOf(archive);
  checkByteOrder(archive, root);
  const pickle = `${root}data.pkl`;
  const length = archive.entries.get(pickle)!;
  inFile(name, () => checkPickleLength(length));
  const bytes = archive.read(pickle, 0, length);
  const value = inFile(name, () => readPickle(bytes, tensorBuilder(storages(archive, root))));
  const isScript = archive.entries.has(`${root}constants.pkl`);
  return checkpointOf(value, name, isScript ? new ScriptCode(archive, `${root}code/`) : undefined);
}

/** The folder of the archive that holds `data.pkl`, with its slash. */
function rootOf({ name, entries }: CheckpointArchive): string {
  const pickles = [...entries.keys()].filter((entry) => /^(?:[^/]+\/)?data\.pkl$/.test(entry));
  if (pickles.length !== 1) {
    throw new FormatError(
      `${name}: a zip archive, but no PyTorch checkpoint: ${pickles.length} entries data.pkl`,
    );
  }
  return pickles[0]!.slice(0, -'data.pkl'.length);
}

function checkByteOrder({ name, entries, read }: CheckpointArchive, root: string): void {
  const order = `${root}byteorder`;
  const length = entries.get(order);
  if (length === undefined) return;
  const text = String.fromCharCode(...read(order, 0, Math.min(length, 16)));
  if (text.trim() !== 'little') {
    throw new FormatError(`${name}: entry ${order} says ${text}, expected little`);
  }
}

/** Persistent ids stand for entries of the archive. */
function storages(archive: CheckpointArchive, root: string): Parameters<typeof tensorBuilder>[0] {
  const known = new Map<string, StorageBytes>();
  const bytesOf = (entry: string, length: number): StorageBytes => ({
    name: `entry ${shown(entry)}`,
    length,
    read: (begin, end) => archive.read(entry, begin, end),
  });
  return (id) => {
    const { key, type, length } = storageOf(id);
    const entry = `${root}data/${key}`;
    const held = archive.entries.get(entry);
    if (held === undefined) throw new FormatError(`entry ${shown(entry)} is missing`);
    const expected = length * type.bytes;
    if (held !== expected) {
      throw new FormatError(
        `entry ${shown(entry)} expected ${expected} bytes for ${length} of ${type.dtype}, got ${held}`,
      );
    }
    const bytes = known.get(entry) ?? bytesOf(entry, held);
    known.set(entry, bytes);
    return { kind: 'storage', bytes, type, begin: 0, length } as const;
  };
}
