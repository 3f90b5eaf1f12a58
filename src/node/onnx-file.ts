/** An ONNX file, and the files beside it that have its weights. */

import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { FormatError } from '../errors.js';
import type { RecognizedNetwork } from '../model/index.js';
import type { OnnxOptions } from '../model/onnx/network.js';
import { HEAD_BYTES } from './foreign-formats.js';
import { type OpenFile, openFile } from './open-file.js';
import { isOnnx } from './protobuf-models.js';
import type { WeightsFile } from './weights-file.js';

export interface OnnxFile extends WeightsFile {
  readonly network: RecognizedNetwork;
  /** The warning that ImageNet's preprocessing is assumed. */
  readonly pixelsAssumed: string;
}

/** Protobuf's own limit. */
const MAX_ONNX_BYTES = 2 ** 31;

/**
 * Opens an ONNX file, recognised by its first bytes.
 *
 * @param name its name in messages
 * @returns `undefined` for a file of another kind, or one that cannot be opened
 * @throws {FormatError} as `onnxNetwork`, and for weights outside the file's folder
 */
export async function openOnnx(
  path: string,
  name: string,
  options: OnnxOptions,
): Promise<OnnxFile | undefined> {
  const file = await openFile(path, 'a model').catch(() => undefined);
  if (!file) return undefined;
  const opened = [file];
  const close = (): void => {
    for (const each of opened) each.close();
  };
  try {
    if (!isOnnx(file.read(0, Math.min(file.length, HEAD_BYTES)))) {
      close();
      return undefined;
    }
    if (file.length > MAX_ONNX_BYTES) {
      throw new FormatError(`${name}: ${file.length} bytes, at most ${MAX_ONNX_BYTES} are read`);
    }
    const { onnxNetwork, onnxSummary, PIXELS_ASSUMED } = await loadReader();
    const bytes = file.read(0, file.length);
    const { producer, opset, operators, externalFiles } = onnxSummary(bytes, name);
    const beside = await openAllBeside(externalFiles, path, name);
    opened.push(...beside.values());
    const network = onnxNetwork(bytes, name, {
      ...options,
      externalData: (location) => beside.get(location)!,
    });
    const counts = [...operators].map(([op, count]) => `${op} ${count}`).join(', ');
    const format = `ONNX of opset ${opset}${producer ? `, written by ${producer}` : ''}: ${counts}${beside.size > 0 ? `, weights in ${[...beside.keys()].join(', ')}` : ''}`;
    const pixelsAssumed = PIXELS_ASSUMED;
    return { network, source: network.source, format, files: opened, close, pixelsAssumed };
  } catch (error) {
    close();
    throw error;
  }
}

/** Reads facts from an ONNX file whose weights may be in files beside it. @throws as `openOnnx` */
export async function readOnnx<T>(
  bytes: Uint8Array,
  path: string,
  name: string,
  read: (externalData: (location: string) => OpenFile) => T,
): Promise<T> {
  const { onnxSummary } = await loadReader();
  const beside = await openAllBeside(onnxSummary(bytes, name).externalFiles, path, name);
  try {
    return read((location) => beside.get(location)!);
  } finally {
    for (const file of beside.values()) file.close();
  }
}

/** Loaded only for an ONNX file: loading takes as long as explaining a small picture. */
function loadReader(): Promise<typeof import('../model/onnx/network.js')> {
  return import('../model/onnx/network.js');
}

async function openAllBeside(
  locations: readonly string[],
  path: string,
  name: string,
): Promise<Map<string, OpenFile>> {
  const beside = new Map<string, OpenFile>();
  try {
    for (const location of locations) {
      beside.set(location, await openBeside(path, name, location));
    }
    return beside;
  } catch (error) {
    for (const file of beside.values()) file.close();
    throw error;
  }
}

/** A file in the model's folder. The model gives the name, so it may be anything. */
async function openBeside(path: string, name: string, location: string): Promise<OpenFile> {
  const outside = (): FormatError =>
    new FormatError(
      `${name}: its weights are in ${location}, outside its folder: such files are not read`,
    );
  const isPlain =
    location !== '' && !isAbsolute(location) && !/[\\:\0]|(?:^|\/)\.\.(?:\/|$)/u.test(location);
  if (!isPlain) throw outside();
  const folder = dirname(path);
  const other = join(folder, location);
  let real: string;
  try {
    real = relative(realpathSync(folder), realpathSync(other));
  } catch (error) {
    throw new FormatError(`${name}: its weights are in ${location}, which was not found`, {
      cause: error,
    });
  }
  // A link may point outside.
  if (real.startsWith('..') || isAbsolute(real)) throw outside();
  return openFile(other, 'weights of an ONNX model');
}
