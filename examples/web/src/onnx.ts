/** Networks from ONNX files. Loaded when one comes; for its first picture the page has no use for it. */

import { FormatError } from 'fastcam';
import type { ByteSource, RecognizedNetwork } from 'fastcam/model';
import { onnxNetwork, PIXELS_ASSUMED } from 'fastcam/onnx';
import type { Open } from './sources.ts';

/** Protobuf's own limit. */
const MAX_BYTES = 2 ** 31;

/** An ONNX file, and what came along with it. */
export interface OnnxFiles {
  readonly model: File;
  readonly given: readonly File[];
}

/** The network of an ONNX file. */
export interface OnnxNetwork {
  readonly network: RecognizedNetwork;
  readonly onnx: OnnxFiles;
  /** What is to be said of the pixels, where the file does not say what becomes of them. */
  readonly pixels?: string;
}

/**
 * @param given what came along with the model: files of its weights may be among them
 * @throws {FormatError} in one line that names the file: as `onnxNetwork`, and for weights that did not come along
 */
export function openOnnx(model: File, given: readonly File[], open: Open): OnnxNetwork {
  const { name, size } = model;
  if (size > MAX_BYTES)
    throw new FormatError(`${name}: ${size} bytes, at most ${MAX_BYTES} are read`);
  const externalData = (location: string): ByteSource => {
    const file = besideModel(location, given);
    return open(file, file.name);
  };
  const network = onnxNetwork(open(model, name).read(0, size), name, { externalData });
  const warnings = network.warnings.filter((warning) => warning !== PIXELS_ASSUMED);
  const isAssumed = warnings.length < network.warnings.length;
  const onnx = { model, given };
  return { network: { ...network, warnings }, onnx, ...(isAssumed && { pixels: PIXELS_ASSUMED }) };
}

/** @throws {FormatError} for a file that did not come along */
export function besideModel(location: string, given: readonly File[]): File {
  // The page sees no folders: what a file is called is all that there is.
  const file = given.find(({ name }) => name === location.split('/').at(-1));
  if (file) return file;
  throw new FormatError(`its weights lie in ${location}: choose it together with the model`);
}
