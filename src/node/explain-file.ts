/** Picture file → explanation and its pictures. */

import { basename, join } from 'node:path';
import type { ExplainOptions, FloatTensor } from '../explain.js';
import type { Explanation } from '../explanation.js';
import { fitInside, type Picture, type Size } from '../image/picture.js';
import type { Attribution } from '../methods/gradients/attribution.js';
import { overWhite } from '../model/index.js';
import type { Colormap, SaliencyMap } from '../viz/index.js';
import { type AttributionOptions, attributePicture, reportAttribution } from './attribution.js';
import { Lettering } from './drawing/canvas.js';
import { FORMATS, type PictureFormat } from './drawing/encode.js';
import {
  DEFAULT_KINDS,
  kindsOf,
  needsLettering,
  type PictureKind,
} from './drawing/picture-kinds.js';
import { picturesOf } from './drawing/pictures.js';
import { shrinkPicture } from './drawing/pixels.js';
import { makeFolder } from './folders.js';
import { bundledModel, type Model } from './model-file.js';
import type { DecodeOptions } from './pictures/format.js';
import { type FileBytes, type FileReading, readingOf } from './read-ahead.js';
import { type DividedPicture, makeReport, type Report } from './report.js';
import { encodeTensors, pictureOfTensor, readTensor, tensorItem } from './tensor-file.js';
import { VERSION } from './version.js';
import { writeWhole } from './written-file.js';

/** Which pictures to draw, and how. Plain data, so that it can be sent to another thread. */
export interface DrawOptions {
  /** Default `viridis`. */
  readonly colormap?: Colormap;
  /** Which pictures; default: with `out` all but `picture` and `thumbnails`, without `out` none. */
  readonly only?: readonly PictureKind[];
  /** Default `png`. Thumbnails are always WebP. */
  readonly format?: PictureFormat;
  /**
   * Draw at the full size of the picture. By default the long side is at most 1600 pixels, and maps are
   * computed at that size.
   */
  readonly fullSize?: boolean;
}

export interface ExplainFileOptions extends ExplainOptions, DecodeOptions, DrawOptions {
  /** Default: the bundled model. */
  readonly model?: Model;
  /** Another method, of those that need gradients, and its options. Its map is drawn and reported, too. */
  readonly attribution?: AttributionOptions;
  /** The folder for pictures and report.json, created if necessary. Without it nothing is written. */
  readonly out?: string;
  /**
   * For pictures that are too large to be explained at once: the network runs over them at their own resolution, about
   * tile² pixels at a time (`explainLargeFile`).
   */
  readonly tile?: number;
  /** A safetensors file for all arrays of the run, with maps at the size of the picture. */
  readonly tensors?: string;
  /** Stops between two pictures, and throws the abort reason. No file is left half written. */
  readonly signal?: AbortSignal;
  /** Called with the share of the work that is done, from 0 to 1. */
  readonly onProgress?: (done: number) => void;
}

/** A picture, as the bytes of a file. */
export interface DrawnFile {
  /** With its extension: `overlay.png`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface ExplainedFile {
  /** Its maps have the size of the given picture, whatever size was drawn. */
  readonly explanation: Explanation;
  /** The result of the other method, if one was asked for. */
  readonly attribution?: Attribution;
  readonly report: Report;
  /** The files written. */
  readonly files: readonly string[];
  /** The pictures that `only` asks for, if there is no `out`. */
  readonly pictures: readonly DrawnFile[];
}

/** The share of the work that is done after the network. Drawing is most of the rest. */
const EXPLAINED = 0.5;
/** Pictures that may wait for zlib: at most 7 MB each. */
const PACKED_AT_ONCE = 6;
/** The longest side of drawn pictures: larger than a screen shows. */
export const DRAWN_SIDE = 1600;

/**
 * Decodes a picture file, explains it, and draws its pictures.
 *
 * @param input a path, the bytes themselves, or the result of `readAhead`
 * @throws {FormatError} in one line that names the file and the cause
 * @throws {ShapeError} for an option out of range
 */
export async function explainFile(
  input: string | FileBytes | FileReading,
  options: ExplainFileOptions = {},
): Promise<ExplainedFile> {
  const name = typeof input === 'string' ? input : input?.name;
  const run = await startRun(name, options);
  const { only = options.out === undefined ? [] : DEFAULT_KINDS } = options;
  const [{ decoded, decodeMs }] = await Promise.all([
    readingOf(input, options),
    // While another thread decodes.
    needsLettering(only) && loadLettering(),
  ]);
  const picture = decoded.isOpaque ? decoded : overWhite(decoded);
  const explanation = run.model.net.explain(picture, run.explainOptions);
  const attribution = await attributionOf(run, picture, 0, 1);
  run.progress(EXPLAINED);
  const { decoder } = decoded;
  const item = { ...itemOf(run, explanation, picture, decodeMs), attribution, decoder };
  const [explained] = await finish(run, [item]);
  return explained!;
}

/**
 * Explains the tensor `input` [N, channels, H, W], already normalised, of a safetensors file: for programs
 * that prepare their pictures themselves. With N > 1 each picture has its own folder, `0`, `1`, …
 * inside `out`.
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
  const { preprocessing } = run.model.net;
  const N = explanations.length;
  const items: Item[] = [];
  for (const [n, explanation] of explanations.entries()) {
    const picture = pictureOfTensor(tensor, n, preprocessing);
    const attribution = await attributionOf(run, tensorItem(tensor, n), n, N);
    items.push({ ...itemOf(run, explanation, picture, decodeMs / N), attribution });
  }
  run.progress(EXPLAINED);
  return finish(run, items);
}

/** The other method's result for picture n of N, if one was asked for. */
async function attributionOf(
  { model, options, progress }: Run,
  image: Picture | FloatTensor,
  n: number,
  N: number,
): Promise<Attribution | undefined> {
  const { attribution, fit, size, target, signal } = options;
  if (!attribution) return undefined;
  return attributePicture(model, image, attribution, {
    ...(fit !== undefined && { fit }),
    ...(size !== undefined && { size }),
    ...(target !== undefined && { target }),
    ...(signal && { signal }),
    onProgress: (done) => progress((EXPLAINED * (n + done)) / N),
  });
}

/** One call's input, options and clock. */
export interface Run {
  readonly name: string;
  readonly model: Model;
  readonly options: ExplainFileOptions;
  readonly explainOptions: ExplainOptions;
  /** Milliseconds since the run started. */
  elapsed(): number;
  progress(done: number): void;
}

/** A picture to draw and to report. */
export interface Item {
  readonly explanation: Explanation;
  /** The explanation at the size of `picture`. */
  readonly drawn: Explanation;
  readonly attribution?: Attribution | undefined;
  /** At the size to draw. The picture as given may take 400 MB, and is released. */
  readonly picture: Picture;
  /** The decoder that read it; none for a tensor. */
  readonly decoder?: string;
  readonly decodeMs: number;
  /** Set if the picture was divided. */
  readonly tiles?: DividedPicture;
}

export async function startRun(name: string, options: ExplainFileOptions): Promise<Run> {
  const { model, onProgress } = options;
  const opened = model ?? (await bundledModel());
  const start = performance.now();
  return {
    name,
    model: opened,
    options,
    explainOptions: { now: () => performance.now(), ...options },
    elapsed: () => performance.now() - start,
    progress: onProgress ?? (() => {}),
  };
}

function itemOf(run: Run, explanation: Explanation, picture: Picture, decodeMs: number): Item {
  const size = run.options.fullSize ? picture : fitInside(picture, DRAWN_SIDE);
  const isOwn = size.width === explanation.width && size.height === explanation.height;
  return {
    explanation,
    drawn: isOwn ? explanation : explanation.resized(size.width, size.height),
    picture: shrinkPicture(picture, size),
    decodeMs,
  };
}

/** Draws and reports. @returns a result for each item */
export async function finish(run: Run, items: readonly Item[]): Promise<ExplainedFile[]> {
  const { name, options, model } = run;
  const { out, tensors } = options;
  if (tensors !== undefined) {
    const metadata = { fastcam: VERSION, input: name, model: model.name };
    await writeWhole(tensors, encodeTensors(items, metadata));
  }
  const explained: ExplainedFile[] = [];
  for (const [n, item] of items.entries()) {
    const many = items.length > 1;
    const folder = many && out !== undefined ? join(out, String(n)) : out;
    const begin = run.elapsed();
    const { files, pictures } = await drawItem(run, item, folder);
    const { explanation, drawn, attribution, tiles } = item;
    if (tiles) files.push(...tiles.files);
    if (tensors !== undefined) files.push(tensors);
    const reportPath = folder === undefined ? undefined : join(folder, 'report.json');
    if (reportPath !== undefined) files.push(reportPath);
    const report = makeReport(drawn, {
      input: {
        path: name,
        ...(item.decoder !== undefined && { decoder: item.decoder }),
        ...(many && { item: n }),
      },
      explanation,
      ...(tiles && { tiles }),
      ...(attribution && { attribution: reportAttribution(attribution, model) }),
      model,
      options: describeOptions(run, item),
      decodeMs: item.decodeMs,
      picturesMs: run.elapsed() - begin + (tiles?.picturesMs ?? 0),
      files,
    });
    if (reportPath !== undefined) {
      await writeWhole(reportPath, `${JSON.stringify(report, null, 2)}\n`);
    }
    const results = { explanation, ...(attribution && { attribution }) };
    explained.push({ ...results, report, files, pictures });
    run.progress(EXPLAINED + ((1 - EXPLAINED) * (n + 1)) / items.length);
  }
  return explained;
}

/** Draws, and writes into the folder if there is one. Pictures are compressed while the next ones are drawn. */
async function drawItem(
  run: Run,
  { drawn, picture, attribution }: Item,
  folder: string | undefined,
): Promise<{ files: string[]; pictures: DrawnFile[] }> {
  const { only = folder === undefined ? [] : undefined, signal } = run.options;
  const kinds = kindsOf(only, { cam: drawn.cam, hasAttribution: attribution !== undefined });
  const title = `${basename(run.name)}, ${drawn.width} × ${drawn.height}, ${run.model.name} model`;
  const lettering = needsLettering(kinds) ? await loadLettering() : undefined;
  const attributionMap = attribution && (await mapOf(attribution, drawn));
  const colormap = colormapOf(run);
  const source = { explanation: drawn, picture, attributionMap, colormap, title, lettering };
  if (folder !== undefined) await makeFolder(folder);
  const named = picturesOf(source, kinds);
  const files: string[] = [];
  const pictures: DrawnFile[] = [];
  const packing: Promise<void>[] = [];
  try {
    for (const [i, { name, draw }] of named.entries()) {
      const { ending, encode } = FORMATS[formatOf(run, name)];
      const file = `${name}.${ending}`;
      const image = await draw();
      if (packing.length === PACKED_AT_ONCE) await packing.shift();
      signal?.throwIfAborted();
      run.progress(EXPLAINED + ((1 - EXPLAINED) * i) / named.length);
      if (folder !== undefined) files.push(join(folder, file));
      const packed = encode(image).then(async (bytes) => {
        if (folder === undefined) pictures[i] = { name: file, bytes };
        else await writeWhole(join(folder, file), bytes);
      });
      packing.push(packed);
      // A failure is thrown where it is awaited. Until then it must not be an unhandled rejection.
      packed.catch(() => {});
    }
    await Promise.all(packing);
  } finally {
    await Promise.allSettled(packing);
  }
  return { files, pictures };
}

async function mapOf(attribution: Attribution, size: Size): Promise<SaliencyMap> {
  const { attributionMap } = await import('../gradients.js');
  return attributionMap(attribution, size);
}

function formatOf({ options }: Run, name: string): PictureFormat {
  return name === 'thumbnails' ? 'webp' : (options.format ?? 'png');
}

let lettering: Promise<Lettering> | undefined;

function loadLettering(): Promise<Lettering> {
  lettering ??= Lettering.load();
  return lettering;
}

function colormapOf({ options }: Run): Colormap {
  return options.colormap ?? 'viridis';
}

/** The options of the run, with their defaults. */
function describeOptions(run: Run, { explanation }: Item): Record<string, unknown> {
  const { normalizer = 'gaussian', scaleWeights = 'equal', calibration, taps } = run.options;
  const { sampleRange, tile } = run.options;
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
    ...(tile === undefined ? { fit, size } : { tile }),
    ...(sampleRange && { sampleRange }),
    colormap,
  };
}
