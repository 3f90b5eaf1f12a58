/** An input of any kind: a picture, a picture to be divided, or a tensor file. */

import {
  type ExplainedFile,
  type ExplainFileOptions,
  explainFile,
  explainTensorFile,
} from './explain-file.js';
import { type FileBytes, type FileReading, isTensorFile } from './read-ahead.js';

/** A picture, or the tensors of a path that ends in `.safetensors`. @throws as `explainFile` */
export async function explainInput(
  input: string | FileBytes | FileReading,
  options: ExplainFileOptions,
): Promise<ExplainedFile[]> {
  if (typeof input !== 'string') return [await explainFile(input, options)];
  if (isTensorFile(input)) return explainTensorFile(input, options);
  if (options.tile === undefined) return [await explainFile(input, options)];
  const { explainLargeFile } = await import('./tiles/explain-large-file.js');
  return [await explainLargeFile(input, { ...options, tile: options.tile })];
}
