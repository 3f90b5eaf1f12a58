/**
 * Weights from a file of any known kind, recognised by its first bytes. The file name is not trusted.
 *
 *   PK 03 04                zip: a PyTorch checkpoint
 *   0x1950a86a20f9469cfc6c  pickled: a PyTorch checkpoint from before 1.6
 *   ustar at 257            tar: one of PyTorch 0.1
 *   u64 < 2³², then {       safetensors
 *   { … "weight_map" …      an index, with its safetensors or checkpoints beside it
 *
 * Any other file is refused with the name of its format and what to do: ./foreign-formats.ts.
 */

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FormatError } from '../errors.js';
import { joinShards, parseSafetensors, type TensorSource } from '../model/index.js';
import { foreignFolder, foreignJson, HEAD_BYTES } from './foreign-formats.js';
import { type OpenFile, openFile } from './open-file.js';
import { parseShardIndex } from './shard-index.js';

export interface WeightsFile {
  readonly source: TensorSource;
  /** The format, and where the weights are in the file, for people. */
  readonly format: string;
  /** The files that it reads: the named file first, then its shards. */
  readonly files: readonly OpenFile[];
  /** Closes the files; tensors cannot be read any more. */
  close(): void;
}

const EXPECTED = 'a model (safetensors or PyTorch)';

/** The key of a shard's dictionary. */
const WHOLE_FILE = '.';

/** An index of a thousand tensors takes 80 KB. */
const MAX_INDEX_BYTES = 2 ** 24;

/**
 * Opens weights: a safetensors file, an index of several, or a PyTorch checkpoint.
 *
 * @param name its name in messages; default the path
 * @param stateDict which dictionary of a checkpoint to read, `.` is the whole file; default the
 * one that makes the largest network
 * @throws {FormatError} in one line that names the file, what is wrong with it and what to do
 */
export async function openWeights(
  path: string,
  name: string = path,
  stateDict?: string,
): Promise<WeightsFile> {
  const entries = (await readdir(path).catch(() => [])).sort();
  const folder = foreignFolder(entries, (entry) => join(path, entry));
  if (folder !== undefined) throw new FormatError(`${name}: is ${folder}`);
  const file = await openFile(path, EXPECTED);
  try {
    if (isJson(headOf(file))) return await openShards(file, name);
    const opened = await openTensors(file, name, stateDict);
    return { ...opened, files: [file], close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The first bytes of a file, one character each. */
function headOf(file: OpenFile): string {
  return Buffer.from(file.read(0, Math.min(file.length, HEAD_BYTES))).toString('latin1');
}

/** The length of a safetensors header, below 2³², and the header's first byte. */
function startsAsSafetensors(head: string): boolean {
  return head.startsWith('\0\0\0\0{', 4);
}

/** An index, or another JSON file. */
function isJson(head: string): boolean {
  return /^(?:\xef\xbb\xbf)?\s*\{/.test(head) && !startsAsSafetensors(head);
}

/** Tensors of a file that is not an index. @throws {FormatError} for another format, naming it */
async function openTensors(
  file: OpenFile,
  name: string,
  stateDict?: string,
): Promise<Pick<WeightsFile, 'source' | 'format'>> {
  const head = headOf(file);
  if (startsAsSafetensors(head)) {
    return { source: parseSafetensors(file, name), format: 'safetensors' };
  }
  const { openCheckpoint } = await import('./checkpoint-file.js');
  return openCheckpoint(file, name, head, stateDict);
}

async function openShards(file: OpenFile, name: string): Promise<WeightsFile> {
  if (file.length > MAX_INDEX_BYTES) {
    throw new FormatError(`${name}: an index of ${file.length} bytes, at most ${MAX_INDEX_BYTES}`);
  }
  const text = new TextDecoder().decode(file.read(0, file.length));
  const other = foreignJson(text);
  if (other !== undefined) throw new FormatError(`${name}: is ${other}`);
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
      const shardFile = await openFile(path, 'a shard');
      opened.push(shardFile);
      sources.set(shard, (await openTensors(shardFile, path, WHOLE_FILE)).source);
    }
    for (const [tensor, shard] of index) {
      if (sources.get(shard)!.tensors.has(tensor)) continue;
      throw new FormatError(`${name}: tensor ${tensor} is not in ${shard}`);
    }
    const format = `index of ${paths.size} files`;
    return { source: joinShards(sources, name), format, files: opened, close };
  } catch (error) {
    // The caller closes the index itself.
    opened.shift();
    close();
    throw error;
  }
}
