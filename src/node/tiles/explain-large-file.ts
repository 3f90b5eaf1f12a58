/** Picture files that are too large to be explained at once → explanation, pyramids of tiles, maps as TIFF. */

import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ShapeError } from '../../errors.js';
import { explainTiled, type RowKind, type TiledExplanation } from '../../tiles/index.js';
import type { PictureKind } from '../drawing/picture-kinds.js';
import {
  DRAWN_SIDE,
  type ExplainedFile,
  type ExplainFileOptions,
  finish,
  type Run,
  startRun,
} from '../explain-file.js';
import { makeFolder } from '../folders.js';
import { VERSION } from '../version.js';
import { Checkpoint } from './checkpoint.js';
import { drawLarge, type LargeKind } from './draw-large.js';
import { openPictureRows, type PictureRows } from './picture-rows.js';

export interface ExplainLargeOptions extends ExplainFileOptions {
  /** The network computes about tile² pixels of the picture at a time. */
  readonly tile: number;
}

/** The state of a run is written this often, after Ctrl-C, and before anything is drawn. */
const SAVE_MS = 60_000;
/** Shares of the work that are done after the network, and after the pyramids. */
const EXPLAINED = 0.7;
const DRAWN = 0.95;

const LARGE_KINDS: readonly LargeKind[] = [
  ...(['saliency', 'fastcam', 'non-class', 'overlay', 'lovi', 'picture'] as const),
];
const TIFF_KINDS: readonly RowKind[] = ['saliency', 'fastcam', 'non-class'];

/**
 * Explains a picture at its own resolution, strip by strip. Besides the files of `explainFile`, it writes pyramids of
 * tiles (Deep Zoom), and maps as TIFF at the resolution of the first scale. If it is interrupted, the next call with the
 * same input and options continues: the state of the run is in the folder `resume` inside `out`.
 *
 * @throws {FormatError} in one line that names the file and the cause
 * @throws {ShapeError} for an option out of range, and a network that cannot be divided
 */
export async function explainLargeFile(
  path: string,
  options: ExplainLargeOptions,
): Promise<ExplainedFile> {
  refuseOptions(options);
  const run = await startRun(path, options);
  const picture = await openPictureRows(path, options);
  try {
    const { out } = options;
    if (out !== undefined) await makeFolder(out);
    const checkpoint =
      out === undefined
        ? undefined
        : await Checkpoint.open(join(out, 'resume'), identityOf(run, picture, options));
    try {
      const explained = await explainRows(run, picture, options, checkpoint);
      await checkpoint?.remove();
      return explained;
    } finally {
      checkpoint?.close();
    }
  } finally {
    picture.close();
  }
}

/** @throws {ShapeError} for options of pictures that are not divided */
function refuseOptions({
  fit = 'whole',
  size,
  attribution,
  tensors,
  fullSize,
}: ExplainLargeOptions): void {
  const others = { size, method: attribution, tensors, fullSize: fullSize || undefined };
  const odd = Object.entries({ ...others, fit: fit === 'whole' ? undefined : fit });
  const [name] = odd.find(([, value]) => value !== undefined) ?? [];
  if (name === undefined) return;
  throw new ShapeError(`tile: the picture is explained at its own resolution, without ${name}`);
}

/** What the result depends on. A state of another run is not used. */
function identityOf({ model }: Run, picture: PictureRows, options: ExplainLargeOptions): string {
  const { statistic, taps, tile, sampleRange, cam } = options;
  const { width, height } = picture;
  const fileOf = (path: string) => {
    const found = statSync(path, { throwIfNoEntry: false });
    return found ? [resolve(path), found.size, found.mtimeMs] : path;
  };
  const { model: _, ...weights } = model.options;
  const { backend, net } = model;
  return JSON.stringify({
    ...{ VERSION, width, height, statistic, taps, tile, sampleRange, cam, backend, weights },
    model: [fileOf(model.name), net.weightBytes, net.architecture],
    input: fileOf(picture.path),
  });
}

async function explainRows(
  run: Run,
  picture: PictureRows,
  options: ExplainLargeOptions,
  checkpoint: Checkpoint | undefined,
): Promise<ExplainedFile> {
  const { tile, signal } = options;
  const resume = await checkpoint?.read();
  let savedAt = run.elapsed();
  let readMs = 0;
  const reader = {
    ...{ width: picture.width, height: picture.height },
    async read(top: number, rows: number) {
      const start = run.elapsed();
      const strip = await picture.read(top, rows);
      readMs += run.elapsed() - start;
      return strip;
    },
  };
  const { fit: _fit, size: _size, ...explainOptions } = run.explainOptions;
  const tiled = await explainTiled(run.model.net, reader, {
    ...{ ...explainOptions, maps: { longSide: DRAWN_SIDE }, tile },
    ...(resume && { resume }),
    ...(checkpoint && { features: checkpoint.features }),
    ...(signal && { signal }),
    async onStrip(done, state) {
      run.progress(EXPLAINED * done);
      const isDue = signal?.aborted || done === 1 || run.elapsed() - savedAt > SAVE_MS;
      if (!checkpoint || !isDue) return;
      await checkpoint.write(state());
      savedAt = run.elapsed();
    },
  });
  return drawTiled(run, picture, options, tiled, { resumed: resume?.strips ?? 0, readMs });
}

async function drawTiled(
  run: Run,
  picture: PictureRows,
  options: ExplainLargeOptions,
  { explanation, tiling, maps }: TiledExplanation,
  { resumed, readMs }: { readonly resumed: number; readonly readMs: number },
): Promise<ExplainedFile> {
  const { out, only, format = 'png', normalizer, colormap = 'viridis', signal } = options;
  const { width, height, decoder } = picture;
  const begin = run.elapsed();
  const wanted = only ?? (['overlay', 'saliency', 'fastcam'] as const);
  const isDrawable = (kind: PictureKind | RowKind): boolean =>
    out !== undefined && (maps.hasCam || (kind !== 'fastcam' && kind !== 'non-class'));
  const pyramids = only === undefined ? (['overlay'] as const) : only;
  const { files, overview } = await drawLarge({
    ...{ picture, maps, colormap, signal, folder: out ?? '' },
    pyramids: LARGE_KINDS.filter(
      (kind) => pyramids.includes(kind as 'overlay') && isDrawable(kind as RowKind),
    ),
    tiffs: TIFF_KINDS.filter((kind) => wanted.includes(kind as 'fastcam') && isDrawable(kind)),
    tiffSize: explanation.rawMaps[0]!.shape,
    hasLimit: normalizer !== 'identity',
    format,
    onProgress: (done) => run.progress(EXPLAINED + (DRAWN - EXPLAINED) * done),
  });
  const { strips, rows, bytes } = tiling;
  const [explained] = await finish(run, [
    {
      ...{ explanation, drawn: explanation, picture: overview, decoder, decodeMs: readMs },
      tiles: {
        size: { width, height },
        report: { strips, rows, resumed, bytes },
        files,
        picturesMs: run.elapsed() - begin,
      },
    },
  ]);
  return explained!;
}
