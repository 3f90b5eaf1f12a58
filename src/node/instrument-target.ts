/** What is to be tapped in an ONNX file, found by reading its network. */

import { UnsupportedError } from '../errors.js';
import type { InstrumentTarget } from '../model/onnx-instrument/index.js';

/** What a person says about the network. */
export interface TargetOptions {
  /** Values to measure at. Default: where the scales end. */
  readonly taps?: readonly string[];
  /** The output with the logits. Default: the first. */
  readonly output?: string;
  /** Height and width that extents are worked out for, where the file does not fix them. */
  readonly size?: readonly [number, number];
}

/**
 * Input, scale ends, logits and classifier of the network in an ONNX file, by the names of the file's values.
 *
 * TODO(importer): this is the place where the importer of ONNX files joins in. Until then it refuses every file.
 *
 * @param path where external weights lie beside, and what messages name
 * @param bytes of the file
 * @throws {FormatError} for a network that cannot be read or has no scale ends
 */
export async function instrumentTarget(
  path: string,
  _bytes: Uint8Array,
  _options: TargetOptions,
): Promise<InstrumentTarget> {
  throw new UnsupportedError(`${path}: networks in ONNX files are not read yet`);
}
