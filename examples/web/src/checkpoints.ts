/**
 * PyTorch's checkpoints, and what any other file is called. Loaded when a file comes that is not
 * safetensors; for its first picture the page has no use for it.
 */

import { FormatError } from 'fastcam';
import { type TensorSource, tensorsTaken } from 'fastcam/model';
import {
  type Checkpoint,
  type CheckpointArchive,
  chooseDictionary,
  foreignFormat,
  foreignZip,
  HEAD_BYTES,
  isLegacyCheckpoint,
  isTar,
  readArchive,
  readLegacy,
  readTar,
} from 'fastcam/pytorch';
import { unzipRaw, type ZipEntry } from 'unzipit';
import type { Open } from './sources.ts';

export { HEAD_BYTES, isOnnx } from 'fastcam/pytorch';

const READ = 'a picture, ONNX, safetensors, a PyTorch checkpoint';
/** What the dictionary of a whole file is called. */
const WHOLE_FILE = '.';

const ZIP = [0x50, 0x4b, 0x03, 0x04];
const STORED = 0;
/** A ResNet-152 has 932 tensors, and an optimizer three times as many. */
const MAX_ENTRIES = 100_000;
/** A ResNet-152 and its optimizer take 0.7 GB. `torch.save` deflates nothing; somebody else may have. */
const MAX_INFLATED_BYTES = 2 ** 30;

/**
 * The tensors of those files that are checkpoints: of one, its dictionary that has most of a network; of
 * several, which are parts of one, all.
 *
 * @throws {FormatError} where there is none, with what the first file is; for a damaged one
 */
export async function openCheckpoints(
  files: readonly File[],
  open: Open,
): Promise<Map<File, TensorSource>> {
  const checkpoints = new Map<File, Checkpoint>();
  const others: string[] = [];
  for (const file of files) {
    const read = await readCheckpoint(file, open);
    if (typeof read === 'string') others.push(`${file.name}: is ${read}`);
    else checkpoints.set(file, read);
  }
  if (checkpoints.size === 0) throw new FormatError(others[0]!);
  const key = checkpoints.size > 1 ? WHOLE_FILE : undefined;
  return new Map(
    [...checkpoints].map(([file, read]) => [file, chooseDictionary(read, tensorsTaken, key)]),
  );
}

/** A checkpoint, or what the file is in words. */
async function readCheckpoint(file: File, open: Open): Promise<Checkpoint | string> {
  const { name, size } = file;
  const bytes = open(file, name);
  const head = bytes.read(0, Math.min(size, HEAD_BYTES));
  if (size === 0) return 'empty';
  if (isLegacyCheckpoint(head)) return readLegacy(bytes, name);
  if (isTar(head)) return readTar(bytes, name);
  if (!ZIP.every((byte, i) => head[i] === byte)) {
    return foreignFormat(head, { path: name, length: size }, READ);
  }
  const archive = await openZip(file, open);
  return foreignZip([...archive.entries.keys()]) ?? readArchive(archive);
}

/** Entries that are stored are pieces of the file; those that somebody has deflated are inflated here. */
async function openZip(file: File, open: Open): Promise<CheckpointArchive> {
  const { name } = file;
  const blobs = new Map<string, Blob>();
  try {
    const { entries } = await unzipRaw(file);
    checkEntries(entries);
    for (const entry of entries) {
      if (blobs.has(entry.name)) throw new FormatError(`two entries are called ${entry.name}`);
      blobs.set(entry.name, await entry.blob());
    }
  } catch (cause) {
    const { message } = cause as Error;
    throw new FormatError(`${name}: not a readable zip archive: ${message}`, { cause });
  }
  return {
    name,
    entries: new Map([...blobs].map(([entry, { size }]) => [entry, size])),
    read: (entry, begin, end) => open(blobs.get(entry)!, name).read(begin, end),
  };
}

function checkEntries(entries: readonly ZipEntry[]): void {
  if (entries.length > MAX_ENTRIES) {
    throw new FormatError(`${entries.length} entries, at most ${MAX_ENTRIES} are read`);
  }
  const deflated = entries.filter(({ compressionMethod }) => compressionMethod !== STORED);
  const inflatedBytes = deflated.reduce((sum, { size }) => sum + size, 0);
  if (inflatedBytes > MAX_INFLATED_BYTES) {
    throw new FormatError(`inflates to ${inflatedBytes} bytes, at most ${MAX_INFLATED_BYTES} are`);
  }
}
