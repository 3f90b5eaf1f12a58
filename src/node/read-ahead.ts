/** Reads a picture file, which may begin before the rest of the program is loaded. */

import { extname } from 'node:path';
import { refuseKind } from '../errors.js';
import { readFileBytes } from './file-bytes.js';
import { decodePicture } from './pictures/decode.js';
import type { DecodedPicture, DecodeOptions } from './pictures/format.js';
import { findSharp } from './pictures/sharp.js';

/** A file that is in memory already. */
export interface FileBytes {
  /** Its name in messages and in the report. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A picture file whose reading has begun. */
export interface FileReading {
  readonly name: string;
  readonly reading: Promise<ReadPicture>;
}

export interface ReadPicture {
  readonly decoded: DecodedPicture;
  readonly decodeMs: number;
}

/**
 * Begins to read a picture file, to work in parallel: threads of sharp decode while a model is loaded. A
 * failure is reported when the picture is explained.
 */
export async function readAhead(
  path: string,
  options: DecodeOptions,
): Promise<string | FileReading> {
  if (isTensorFile(path)) return path;
  await findSharp();
  const bytes = readFileBytes(path, 'a picture');
  const reading = readInput(path, bytes, options);
  reading.catch(() => {});
  // Decodes as soon as the bytes are there.
  await Promise.allSettled([bytes]);
  return { name: path, reading };
}

/** Whether a path is a tensor file. */
export function isTensorFile(path: string): boolean {
  return extname(path).toLowerCase() === '.safetensors';
}

/** The picture of any input. */
export function readingOf(
  input: string | FileBytes | FileReading,
  options: DecodeOptions,
): Promise<ReadPicture> {
  if (typeof input === 'string') {
    return readInput(input, readFileBytes(input, 'a picture'), options);
  }
  if ('reading' in Object(input)) return (input as FileReading).reading;
  const { name, bytes } = Object(input) as FileBytes;
  if (!(bytes instanceof Uint8Array)) {
    refuseKind('explainFile: input', 'a path, or { name, bytes }', input);
  }
  return readInput(name, bytes, options);
}

async function readInput(
  name: string,
  bytes: Uint8Array | Promise<Uint8Array>,
  options: DecodeOptions,
): Promise<ReadPicture> {
  const start = performance.now();
  const decoded = await decodePicture(await bytes, name, options);
  return { decoded, decodeMs: performance.now() - start };
}
