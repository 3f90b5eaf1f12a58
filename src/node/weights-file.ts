/**
 * Weights from a file of any kind that is known, told by its first bytes: names lie.
 *
 *   PK 03 04                zip: a PyTorch checkpoint
 *   u64 < 2³², then {       safetensors
 *   { … "weight_map" …      an index, its safetensors beside it
 *
 * Any other file is refused by the name of its format, with what to do: ./foreign-formats.ts.
 */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FormatError } from '../errors.js';
import { joinShards, parseSafetensors, type TensorSource } from '../model/index.js';
import {
  foreignFolder,
  foreignFormat,
  foreignJson,
  foreignZip,
  HEAD_BYTES,
} from './foreign-formats.js';
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
const READ = 'safetensors, an index of it, a PyTorch checkpoint';

/** An index of a thousand tensors takes 80 KB. */
const MAX_INDEX_BYTES = 2 ** 24;

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
  const folder = await foreignFolder(path);
  if (folder !== undefined) throw new FormatError(`${name}: is ${folder}`);
  const file = await openFile(path, EXPECTED);
  try {
    const head = headOf(file);
    if (isJson(head)) return await openShards(file, name);
    const source = head.startsWith('PK\x03\x04')
      ? await openCheckpoint(file, name)
      : openSafetensors(file, name);
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

/** An index, or somebody's configuration. */
function isJson(head: string): boolean {
  return /^(?:\xef\xbb\xbf)?\s*\{/.test(head) && !startsAsSafetensors(head);
}

function headOf(file: OpenFile): string {
  const head = file.read(0, Math.min(file.length, HEAD_BYTES));
  return Buffer.from(head).toString('latin1');
}

function openSafetensors(file: OpenFile, name: string): TensorSource {
  const head = headOf(file);
  if (startsAsSafetensors(head)) return parseSafetensors(file, name);
  throw new FormatError(`${name}: is ${foreignFormat(Buffer.from(head, 'latin1'), file, READ)}`);
}

async function openCheckpoint(file: OpenFile, name: string): Promise<TensorSource> {
  const { openCheckpointZip } = await import('./checkpoint-zip.js');
  const zip = await openCheckpointZip(file);
  const other = foreignZip([...zip.entries.keys()]);
  if (other !== undefined) throw new FormatError(`${name}: is ${other}`);
  return parseCheckpoint({ ...zip, name });
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
      const shardFile = await openFile(path, 'a safetensors');
      opened.push(shardFile);
      sources.set(shard, openSafetensors(shardFile, path));
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
