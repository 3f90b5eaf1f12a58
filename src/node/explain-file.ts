/** A picture file in, an explanation and its pictures out. */

import { basename, join } from 'node:path';
import type { ExplainOptions } from '../explain.js';
import type { Explanation } from '../explanation.js';
import type { Picture } from '../image/picture.js';
import { overWhite } from '../model/index.js';
import type { Colormap } from '../viz/index.js';
import { Lettering } from './canvas.js';
import { readPicture } from './decode.js';
import { encodePng, writeBytes } from './encode.js';
import { makeFolder } from './folders.js';
import { bundledModel, type Model } from './model-file.js';
import { picturesOf } from './pictures.js';
import { makeReport, packageVersion, type Report } from './report.js';
import { encodeTensors, pictureOfTensor, readTensor } from './tensor-file.js';

export interface ExplainFileOptions extends ExplainOptions {
  /** Default: the bundled model. */
  readonly model?: Model;
  /** The folder to write pictures and report.json into, made if need be. Without it none is written. */
  readonly out?: string;
  /** Default `viridis`. */
  readonly colormap?: Colormap;
  /** A safetensors file to write every array of the run into. */
  readonly tensors?: string;
  /** Told what has been done, in shares of the whole from 0 to 1. */
  readonly onProgress?: (done: number) => void;
}

export interface ExplainedFile {
  readonly explanation: Explanation;
  readonly report: Report;
  /** The files written. */
  readonly files: readonly string[];
}

/** The share of the work that is done once the network has run. Encoding PNG is most of the rest. */
const EXPLAINED = 0.5;

/**
 * Decodes a picture file, explains it, and writes its pictures.
 *
 * @throws {FormatError} in one line that names the file and the cause
 * @throws {ShapeError} for an option out of range
 */
export async function explainFile(
  path: string,
  options: ExplainFileOptions = {},
): Promise<ExplainedFile> {
  const run = await startRun(path, options);
  const picture = overWhite(await readPicture(path));
  const decodeMs = run.elapsed();
  const explanation = run.model.net.explain(picture, run.explainOptions);
  run.progress(EXPLAINED);
  return finish(run, [{ explanation, picture, decodeMs }]).then(([only]) => only!);
}

/**
 * Explains the tensor `input` [N, channels, H, W], already normalised, of a safetensors file: the same for
 * programs that prepare their pictures themselves. With N > 1 each picture has a folder of its own,
 * `0`, `1`, … inside `out`.
 *
 * @throws as `explainFile`
 */
export async function explainTensorFile(
  path: string,
  options: ExplainFileOptions = {},
): Promise<ExplainedFile[]> {
  const run = await startRun(path, options);
  const tensor = await readTensor(path, run.model.net.channels);
  const decodeMs = run.elapsed();
  const explanations = run.model.net.explainBatch(tensor, run.explainOptions);
  run.progress(EXPLAINED);
  const { preprocessing } = run.model.net;
  return finish(
    run,
    explanations.map((explanation, n) => ({
      explanation,
      picture: pictureOfTensor(tensor, n, preprocessing),
      decodeMs: decodeMs / explanations.length,
    })),
  );
}

/** One call's input, options and clock. */
interface Run {
  readonly path: string;
  readonly model: Model;
  readonly options: ExplainFileOptions;
  readonly explainOptions: ExplainOptions;
  /** Milliseconds since the run started. */
  elapsed(): number;
  progress(done: number): void;
}

interface Item {
  readonly explanation: Explanation;
  readonly picture: Picture;
  readonly decodeMs: number;
}

async function startRun(path: string, options: ExplainFileOptions): Promise<Run> {
  const { model, out: _out, colormap: _colormap, tensors: _tensors, onProgress, ...rest } = options;
  const opened = model ?? (await bundledModel());
  const start = performance.now();
  return {
    path,
    model: opened,
    options,
    explainOptions: { now: () => performance.now(), ...rest },
    elapsed: () => performance.now() - start,
    progress: onProgress ?? (() => {}),
  };
}

async function finish(run: Run, items: readonly Item[]): Promise<ExplainedFile[]> {
  const { path, options, model } = run;
  if (options.tensors !== undefined) {
    const metadata = { fastcam: packageVersion(), input: path, model: model.name };
    const explanations = items.map(({ explanation }) => explanation);
    await writeBytes(options.tensors, encodeTensors(explanations, metadata));
  }
  const explained: ExplainedFile[] = [];
  for (const [n, item] of items.entries()) {
    const many = items.length > 1;
    const out = many && options.out !== undefined ? join(options.out, String(n)) : options.out;
    const begin = run.elapsed();
    const files = out === undefined ? [] : await writePictures(run, item, out);
    if (options.tensors !== undefined) files.push(options.tensors);
    const reportPath = out === undefined ? undefined : join(out, 'report.json');
    if (reportPath !== undefined) files.push(reportPath);
    const report = makeReport(item.explanation, {
      input: path,
      ...(many && { item: n }),
      model,
      options: describeOptions(run, item),
      decodeMs: item.decodeMs,
      picturesMs: run.elapsed() - begin,
      files,
    });
    if (reportPath !== undefined) {
      await writeBytes(reportPath, `${JSON.stringify(report, null, 2)}\n`);
    }
    explained.push({ explanation: item.explanation, report, files });
    run.progress(EXPLAINED + ((1 - EXPLAINED) * (n + 1)) / items.length);
  }
  return explained;
}

async function writePictures(run: Run, item: Item, out: string): Promise<string[]> {
  await makeFolder(out);
  const source = {
    explanation: item.explanation,
    picture: item.picture,
    colormap: colormapOf(run),
    title: `${basename(run.path)}, ${item.picture.width} × ${item.picture.height}, ${run.model.name} model`,
  };
  const pictures = picturesOf(source, await lettering());
  const files: string[] = [];
  for (const [i, { name, draw }] of pictures.entries()) {
    const file = join(out, name);
    await writeBytes(file, await encodePng(draw()));
    files.push(file);
    run.progress(EXPLAINED + ((1 - EXPLAINED) * i) / pictures.length);
  }
  return files;
}

let loadedLettering: Promise<Lettering> | undefined;

function lettering(): Promise<Lettering> {
  loadedLettering ??= Lettering.load();
  return loadedLettering;
}

function colormapOf({ options }: Run): Colormap {
  return options.colormap ?? 'viridis';
}

/** The options as they were in force, defaults filled in. */
function describeOptions(run: Run, { explanation }: Item): Record<string, unknown> {
  const { normalizer = 'gaussian', scaleWeights = 'equal', calibration, taps } = run.options;
  const { target = 'top', fit = 'whole', size = run.model.net.preprocessing.size } = run.options;
  const { statistic, cam } = explanation;
  const colormap = colormapOf(run);
  return {
    statistic,
    normalizer,
    ...(calibration && { calibration }),
    scaleWeights,
    ...(taps && { taps }),
    cam,
    target,
    fit,
    size,
    colormap,
  };
}
