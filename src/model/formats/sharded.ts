/**
 * Weights in several safetensors files and an index, JSON, as Hugging Face writes it:
 *
 *   { "metadata": { "total_size": … }, "weight_map": { tensor: "model-00001-of-00002.safetensors", … } }
 *
 * Shards lie beside their index: a name with a path in it is refused, wherever it leads.
 * Source: https://huggingface.co/docs/safetensors, "Sharded".
 */

import { FormatError } from '../../errors.js';
import type { TensorShape, TensorSource } from './tensor-source.js';

/** Tensor → the name of its file. */
export type ShardIndex = ReadonlyMap<string, string>;

/** Shards of an index, at most: as many as a gigabyte has in pieces of a megabyte. */
export const MAX_SHARDS = 1024;

/**
 * Reads an index.
 *
 * @param name what error messages call it
 * @throws {FormatError} for text that is no index, or a shard that is not beside it
 */
export function parseShardIndex(text: string, name: string): ShardIndex {
  const fail = (what: string): never => {
    throw new FormatError(`${name}: ${what}`);
  };
  let index: unknown;
  try {
    index = JSON.parse(text);
  } catch {
    fail('not an index of safetensors files: no valid JSON');
  }
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    return fail('not an index of safetensors files: no object weight_map');
  }
  const files = new Map<string, string>();
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== 'string' || !/^[^/\\:]+\.safetensors$/.test(file)) {
      fail(`tensor ${tensor} is in ${JSON.stringify(file)}, expected a .safetensors beside it`);
    }
    files.set(tensor, file);
  }
  const shards = new Set(files.values()).size;
  if (shards === 0) fail('an index of no tensors');
  if (shards > MAX_SHARDS) fail(`${shards} files, at most ${MAX_SHARDS} are read`);
  return files;
}

/**
 * All shards as one source. Metadata is that of the shards, where they agree or one has it alone.
 *
 * @param shards the files by their names in the index, every one of them
 * @throws {FormatError} for a tensor that is not in its shard
 */
export function joinShards(
  index: ShardIndex,
  shards: ReadonlyMap<string, TensorSource>,
  name: string,
): TensorSource {
  const tensors = new Map<string, TensorShape>();
  for (const [tensor, file] of index) {
    const info = shards.get(file)!.tensors.get(tensor);
    if (!info) throw new FormatError(`${name}: tensor ${tensor} is not in ${file}`);
    tensors.set(tensor, info);
  }
  const metadata = new Map<string, string>();
  for (const [file, shard] of shards) {
    for (const [key, value] of shard.metadata) {
      if ((metadata.get(key) ?? value) !== value) {
        throw new FormatError(
          `${name}: ${file} has another ${key} in its metadata than the others`,
        );
      }
      metadata.set(key, value);
    }
  }
  return {
    name,
    metadata,
    tensors,
    readInto(out, tensor, begin) {
      const file = index.get(tensor);
      if (file === undefined) throw new FormatError(`${name}: tensor ${tensor} is missing`);
      shards.get(file)!.readInto(out, tensor, begin);
    },
  };
}
