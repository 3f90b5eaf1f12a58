/**
 * Weights from a file of any kind that is known, told by its first bytes: names lie.
 *
 *   PK 03 04                zip: a PyTorch checkpoint
 *   u64 < 2³², then {       safetensors
 *   { … "weight_map" …      an index, its safetensors beside it
 *
 * What looks like another format is refused by that format's name, with what to do about it.
 */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FormatError } from '../errors.js';
import { joinShards, parseSafetensors, type TensorSource } from '../model/index.js';
import { type OpenFile, openFile } from './open-file.js';
import { parseCheckpoint } from './pytorch.js';
import { parseShardIndex } from './shard-index.js';

export interface WeightsFile {
  readonly source: TensorSource;
  /** The files that it reads: the one that was named first, then its shards. */
  readonly files: readonly OpenFile[];
  /** Tensors cannot be read any more. */
  close(): void;
}

const EXPECTED = 'a model (safetensors or PyTorch)';

/** Bytes that tell what a file is; `ustar` of a tar begins at 257. */
const HEAD_BYTES = 512;

/** An index of a thousand tensors takes 80 KB. */
const MAX_INDEX_BYTES = 2 ** 24;

const CONVERT_LEGACY =
  'load it in PyTorch and save it again: torch.save(torch.load(…), path) writes the zip that is read here';

const LEGACY = `a PyTorch checkpoint of before 1.6, or of _use_new_zipfile_serialization=False; ${CONVERT_LEGACY}`;
const PICKLE = `a bare pickle; ${CONVERT_LEGACY}`;
const PAGE = 'a web page; download the file itself';

/** What other formats have at a byte, and what to do with such a file. */
const REFUSED: readonly (readonly [at: number, magic: string, what: string])[] = [
  // A pickled long: the magic number 0x1950a86a20f9469cfc6c.
  [0, '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19', LEGACY],
  [257, 'ustar', `a tar archive, as PyTorch wrote in its first year; ${CONVERT_LEGACY}`],
  [0, '\x80\x02', PICKLE],
  [0, '\x80\x03', PICKLE],
  [0, '\x80\x04', PICKLE],
  [
    0,
    '\x89HDF\r\n\x1a\n',
    'HDF5, as Keras writes it; save the weights under their names as safetensors: safetensors.numpy.save_file(…)',
  ],
  [0, '\x1f\x8b', 'gzip; unpack it first'],
  [0, 'GGUF', 'GGUF; take the weights that it was made from'],
  [
    0,
    'version https://git-lfs',
    'a pointer of Git LFS in place of the file; git lfs pull fetches it',
  ],
  [0, '<!DOCTYPE', PAGE],
  [0, '<!doctype', PAGE],
  [0, '<html', PAGE],
];

/**
 * Opens weights: a safetensors file, an index of several, or a PyTorch checkpoint.
 *
 * @param name what messages call it; default the path
 * @throws {FormatError} in one line that names the file, what is wrong with it and what to do
 */
export async function openWeights(
  path: string,
  name: string = path,
  _options: { fitting?: (s: TensorSource) => number; stateDict?: string } = {},
): Promise<WeightsFile> {
  const file = await openFile(path, EXPECTED);
  try {
    const head = Buffer.from(file.read(0, Math.min(file.length, HEAD_BYTES))).toString('latin1');
    for (const [at, magic, what] of REFUSED) {
      // A safetensors file can begin with any four bytes.
      const other = head.startsWith(magic, at) && !startsAsSafetensors(head);
      if (other) throw new FormatError(`${name}: is ${what}`);
    }
    if (isIndex(head)) return await openShards(file, name);
    const source = head.startsWith('PK\x03\x04')
      ? await openCheckpoint(file, name)
      : parseSafetensors(file, name);
    return { source, files: [file], close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The length of a safetensors header, below 2³², and the header's first byte. */
function startsAsSafetensors(head: string): boolean {
  return head.startsWith('\0\0\0\0{', 4);
}

function isIndex(head: string): boolean {
  return /^(?:\xef\xbb\xbf)?\s*\{/.test(head) && !startsAsSafetensors(head);
}

async function openCheckpoint(file: OpenFile, name: string): Promise<TensorSource> {
  const { openCheckpointZip } = await import('./checkpoint-zip.js');
  return parseCheckpoint({ ...(await openCheckpointZip(file)), name });
}

async function openShards(file: OpenFile, name: string): Promise<WeightsFile> {
  if (file.length > MAX_INDEX_BYTES) {
    throw new FormatError(`${name}: an index of ${file.length} bytes, at most ${MAX_INDEX_BYTES}`);
  }
  const text = new TextDecoder().decode(file.read(0, file.length));
  const index = parseShardIndex(text, name);
  const paths = new Map(
    [...new Set(index.values())].sort().map((shard) => [shard, join(dirname(file.path), shard)]),
  );
  const missing = [...paths].filter(([, path]) => !existsSync(path)).map(([shard]) => shard);
  if (missing.length > 0) {
    throw new FormatError(`${name}: missing beside it: ${missing.join(', ')}`);
  }
  const opened: OpenFile[] = [file];
  const close = (): void => {
    for (const shard of opened) shard.close();
  };
  try {
    const sources = new Map<string, TensorSource>();
    for (const [shard, path] of paths) {
      const shardFile = await openFile(path, 'a safetensors');
      opened.push(shardFile);
      sources.set(shard, parseSafetensors(shardFile, path));
    }
    for (const [tensor, shard] of index) {
      if (sources.get(shard)!.tensors.has(tensor)) continue;
      throw new FormatError(`${name}: tensor ${tensor} is not in ${shard}`);
    }
    return { source: joinShards(sources, name), files: opened, close };
  } catch (error) {
    // The index itself is closed by whoever opened it.
    opened.shift();
    close();
    throw error;
  }
}
