/**
 * The index of weights in several files, JSON, as Hugging Face writes it:
 *
 *   { "metadata": { "total_size": … }, "weight_map": { tensor: "model-00001-of-00002.safetensors", … } }
 *
 * Shards are beside their index: a name that contains a path is refused.
 * Source: https://huggingface.co/docs/safetensors, "Sharded".
 */

import { FormatError } from '../errors.js';

/** Tensor → the name of its file. */
export type ShardIndex = ReadonlyMap<string, string>;

/** The most shards of an index: a gigabyte in pieces of a megabyte. */
export const MAX_SHARDS = 1024;

/**
 * Reads an index.
 *
 * @param name its name in error messages
 * @throws {FormatError} for text that is not an index, or a shard that is not beside it
 */
export function parseShardIndex(text: string, name: string): ShardIndex {
  const fail = (what: string): never => {
    throw new FormatError(`${name}: ${what}`);
  };
  let index: unknown;
  try {
    index = JSON.parse(text);
  } catch {
    fail('not an index of shards: no valid JSON');
  }
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    return fail('not an index of shards: no object weight_map');
  }
  const files = new Map<string, string>();
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== 'string' || !/^[^/\\:]+\.(?:safetensors|bin|pth)$/.test(file)) {
      fail(
        `tensor ${tensor} is in ${JSON.stringify(file)}, expected a .safetensors, .bin or .pth beside it`,
      );
    }
    files.set(tensor, file);
  }
  const shards = new Set(files.values()).size;
  if (shards === 0) fail('an index without tensors');
  if (shards > MAX_SHARDS) fail(`${shards} files, at most ${MAX_SHARDS} are read`);
  return files;
}
