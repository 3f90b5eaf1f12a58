/** Weights in several files. */

import { FormatError } from '../../errors.js';
import type { TensorShape, TensorSource } from './tensor-source.js';

/**
 * Joins all files to one source. It has the metadata of all files; if several files have a key, they must agree.
 *
 * @param files by their names in messages
 * @param name name of the whole in messages
 * @throws {FormatError} for a tensor that is in two of them, and for metadata that differs
 */
export function joinShards(files: ReadonlyMap<string, TensorSource>, name: string): TensorSource {
  const tensors = new Map<string, TensorShape>();
  const places = new Map<string, TensorSource>();
  const metadata = new Map<string, string>();
  const warnings = [...files.values()].flatMap((file) => file.warnings ?? []);
  for (const [file, shard] of files) {
    for (const [tensor, info] of shard.tensors) {
      if (tensors.has(tensor))
        throw new FormatError(`${name}: tensor ${tensor} is in ${file} again`);
      tensors.set(tensor, info);
      places.set(tensor, shard);
    }
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
    warnings,
    tensors,
    readInto(out, tensor, begin) {
      const place = places.get(tensor);
      if (!place) throw new FormatError(`${name}: tensor ${tensor} is missing`);
      place.readInto(out, tensor, begin);
    },
  };
}
