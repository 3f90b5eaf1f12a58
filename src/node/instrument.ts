/** Adds saliency to ONNX files: reads a file, writes a file, and collects notes for the user. */

import { basename, dirname, join, resolve } from 'node:path';
import { inFile, ShapeError } from '../errors.js';
import { instrumentTarget } from '../model/onnx/target.js';
import {
  type InstrumentedModel,
  type InstrumentOptions,
  instrumentedModel,
} from '../model/onnx-instrument/index.js';
import { resolveScaleWeights, type ScaleWeights } from '../viz/index.js';
import { readFileBytes } from './file-bytes.js';
import { readOnnx } from './onnx-file.js';
import { refuseOverwriting, WrittenFile } from './written-file.js';

const ENDING = '.onnx';

/** What the caller says about the network. */
export interface TargetOptions {
  /** Values to measure at. Default: where the scales end. */
  readonly taps?: readonly string[];
  /** The output with the logits. Default: the first. */
  readonly output?: string;
  /** Height and width for which extents are computed, if the file does not fix them. */
  readonly size?: readonly [number, number];
}

export interface InstrumentFileOptions
  extends Omit<InstrumentOptions, 'scaleWeights'>,
    TargetOptions {
  /** A named set, or one weight for each tap. Default: equal. */
  readonly scaleWeights?: ScaleWeights;
}

/** The result for a file. */
export interface Instrumentation extends Omit<InstrumentedModel, 'bytes'> {
  /** As given in the call. */
  readonly input: string;
  readonly output: string;
  /** The measured values, one for each of `outputs.scales`. */
  readonly taps: readonly string[];
  readonly sourceBytes: number;
  readonly bytes: number;
  readonly warnings: readonly string[];
}

/**
 * Reads an ONNX file and writes another with saliency in its graph. An older file with the output's name is
 * replaced when the new one is whole.
 *
 * @param input a file; its external weights are beside it
 * @param output ….onnx
 * @throws {FormatError} naming the file that cannot be read or written
 * @throws {ShapeError} for an option that does not fit
 */
export async function instrumentFile(
  input: string,
  output: string,
  options: InstrumentFileOptions = {},
): Promise<Instrumentation> {
  checkOutput(output);
  const source = await readFileBytes(input, 'an ONNX');
  const target = await readOnnx(source, input, input, (externalData) => {
    const { taps, output: logits, size } = options;
    return instrumentTarget(source, input, {
      externalData,
      ...(taps && { taps }),
      ...(logits !== undefined && { output: logits }),
      ...(size && { size }),
    });
  });
  const scaleWeights = resolveScaleWeights(options.scaleWeights ?? 'equal', target.taps.length);
  const { bytes, externalFiles, ...rest } = inFile(input, () =>
    instrumentedModel(source, target, { ...options, scaleWeights }),
  );
  const beside = externalFiles.map((path) => join(dirname(input), path));
  refuseOverwriting('instrument', [output], [input, ...beside]);

  const file = await WrittenFile.create(output);
  try {
    await file.append(bytes);
    await file.close();
    await file.rename();
  } finally {
    await file.discard();
  }
  return {
    ...rest,
    externalFiles,
    input,
    output,
    taps: target.taps.map(({ name }) => name),
    sourceBytes: source.length,
    bytes: bytes.length,
    warnings: warningsOf(externalFiles, input, output),
  };
}

function checkOutput(output: string): void {
  if (output.endsWith(ENDING) && basename(output) !== ENDING) return;
  throw new ShapeError(`instrument: output expected a name that ends in ${ENDING}, got ${output}`);
}

/** Paths of external weights stay unchanged, and are relative to the file. */
function warningsOf(externalFiles: readonly string[], input: string, output: string): string[] {
  const stays = resolve(dirname(input)) === resolve(dirname(output));
  if (stays || externalFiles.length === 0) return [];
  return [`weights are in ${externalFiles.join(', ')}: copy them to where ${output} is`];
}
