/** All methods for one picture: their maps on one sheet, and what each of them costs. */

import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { ShapeError } from '../errors.js';
import { runPicture } from '../explain.js';
import type { Explanation } from '../explanation.js';
import { fitInside, type Picture, type Size } from '../image/picture.js';
import type { Attribution } from '../methods/gradients/attribution.js';
import { COMPARED_METHODS, type ComparedMethod } from '../methods/gradients/comparison.js';
import { type Fit, overWhite } from '../model/index.js';
import type { Colormap, SaliencyMap } from '../viz/index.js';
import { type AttributionOptions, attributePicture, type PassOptions } from './attribution.js';
import type { ComparedResult, Comparison, MethodCost } from './comparison.js';
import { comparisonSheet } from './drawing/comparison.js';
import { encodePng } from './drawing/png.js';
import { makeFolder } from './folders.js';
import { bundledModel, type Model } from './model-file.js';
import { readPicture } from './pictures/decode.js';
import type { DecodeOptions } from './pictures/format.js';
import { describeModel } from './report.js';
import { VERSION } from './version.js';
import { writeWhole } from './written-file.js';

export interface CompareOptions extends DecodeOptions, PassOptions {
  /** Default: the bundled model. */
  readonly model?: Model;
  /** Names as in `COMPARED_METHODS`; default all of them. */
  readonly methods?: readonly string[];
  /** The class to explain: the top one (default), an index or a name. */
  readonly target?: 'top' | number | string;
  /** Values to measure SMOE Scale at, instead of the ends of scales. */
  readonly taps?: readonly string[];
  /** Default `whole`. */
  readonly fit?: Fit;
  /** Short side of the input; default the size that the model was trained at. */
  readonly size?: number;
  /** Default `viridis`. */
  readonly colormap?: Colormap;
  /** The folder for sheet.png and compare.json, created if necessary. Without it nothing is written. */
  readonly out?: string;
  /** Stops between two methods, and throws the abort reason. */
  readonly signal?: AbortSignal;
  /** Called with the number of methods that are done, and the share of the one under way, and its title. */
  readonly onProgress?: (done: number, title: string) => void;
}

export interface ComparedFile {
  readonly report: Comparison;
  /** [h, w] in [0, 1], at the size of a tile of the sheet, by the name of the method. */
  readonly maps: ReadonlyMap<string, SaliencyMap>;
  /** The contact sheet. */
  readonly sheet: Picture;
}

/** Long side of a tile, in pixels. */
const TILE = 256;
/** A method runs again, so that the engine's compiler has finished: at most so often, and for so long. */
const RUNS = 20;
const REPEAT_MS = 500;

const TIMING =
  "One call, from the decoded picture to the map at the size of the network's input: the least of several calls " +
  `(at most ${RUNS} calls, no further call after ${REPEAT_MS} ms), after a forward pass has warmed up the network. ` +
  'The forward pass alone is measured likewise, without preprocessing.';

/**
 * Explains a picture by every method, and draws all maps on one sheet. A method that the network does not allow is
 * left out of the sheet, with its reason in the report.
 *
 * @throws {FormatError} in one line that names the file and the cause
 * @throws {ShapeError} for an option out of range, or a network without classifier
 */
export async function compareFile(
  path: string,
  options: CompareOptions = {},
): Promise<ComparedFile> {
  const { model = await bundledModel(), out, signal, onProgress = () => {} } = options;
  const { net } = model;
  const methods = chosenMethods(options.methods);
  if (net.labels.length === 0) throw new ShapeError('compare: the network has no classifier');
  const picture = overWhite(await readPicture(path, options));
  const { fit, size, target, taps = net.scales } = options;
  const input = { ...(fit !== undefined && { fit }), ...(size !== undefined && { size }) };
  const explain = {
    ...input,
    // Gradients need no scales. Where there are none, saliency is refused below, with the values that can be named.
    taps: taps.length > 0 ? taps : net.scaleCandidates,
    ...(target !== undefined && { target }),
  };
  const explanation = net.explain(picture, { ...explain, cam: 'none' });
  const tile = fitInside(picture, TILE);
  const run: Run = { model, picture, input, explanation, tile, options };
  const forward = forwardCost(run);
  const maps = new Map<string, SaliencyMap>();
  const results: ComparedResult[] = [];
  for (const [i, method] of methods.entries()) {
    const { name, title } = method;
    onProgress(i, title);
    // Ctrl-C arrives here.
    await setImmediate();
    signal?.throwIfAborted();
    try {
      const progress = (done: number): void => onProgress(i + done, title);
      const { map, ...cost } = await measured(run, method, progress);
      maps.set(name, map);
      results.push({ name, title, cost: { ...cost, ratio: cost.ms / forward.ms } });
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      results.push({ name, title, error: error.message });
    }
  }
  const files = out === undefined ? [] : ['sheet.png', 'compare.json'].map((f) => join(out, f));
  const report = reportOf(run, path, forward, results, files);
  const { colormap = 'viridis' } = options;
  const about = `${basename(path)}, ${picture.width} × ${picture.height}`;
  const sheet = await comparisonSheet(report, { about, picture, tile: run.tile, maps, colormap });
  if (out !== undefined) {
    await makeFolder(out);
    await writeWhole(files[0]!, await encodePng(sheet));
    await writeWhole(files[1]!, `${JSON.stringify(report, null, 2)}\n`);
  }
  return { report, maps, sheet };
}

/** What all methods of one comparison share. */
interface Run {
  readonly model: Model;
  /** Opaque, as given. */
  readonly picture: Picture;
  /** How the picture is fitted to the input, as far as it was asked. */
  readonly input: Pick<CompareOptions, 'fit' | 'size'>;
  /** Has warmed up the network; its class is that of all methods. */
  readonly explanation: Explanation;
  /** Size of a tile of the sheet. */
  readonly tile: Size;
  readonly options: CompareOptions;
}

/** @throws {ShapeError} for a name that is none */
function chosenMethods(names: readonly string[] | undefined): readonly ComparedMethod[] {
  const unknown = names?.find((name) => !COMPARED_METHODS.some((method) => method.name === name));
  if (unknown !== undefined) {
    const all = COMPARED_METHODS.map(({ name }) => name).join(', ');
    throw new ShapeError(`methods: expected some of ${all}, got ${unknown}`);
  }
  return COMPARED_METHODS.filter(({ name }) => names?.includes(name) ?? true);
}

/** On the picture itself: the time depends on how many activations are zero. */
function forwardCost({ model, picture, input }: Run): Comparison['forward'] {
  const times: number[] = [];
  let bytes = 0;
  while (hasTime(times)) {
    const { forward, networkMs } = runPicture(model.net, picture, {
      ...input,
      ...{ taps: false, now: () => performance.now() },
    });
    times.push(networkMs);
    bytes = forward.bytes;
  }
  return { ms: Math.min(...times), bytes };
}

interface Measured extends Omit<MethodCost, 'ratio'> {
  /** At the size of a tile. */
  readonly map: SaliencyMap;
}

/** Runs a method, several times if it is quick. Progress goes back to 0 at each run. */
async function measured(
  run: Run,
  method: ComparedMethod,
  onProgress: (done: number) => void,
): Promise<Measured> {
  const times: number[] = [];
  let finish: Finish | undefined;
  while (hasTime(times)) {
    const start = performance.now();
    finish = await (method.method === 'saliency' || method.method === 'fastcam'
      ? explained(run, method.method)
      : attributed(run, method, onProgress));
    times.push(performance.now() - start);
  }
  return { ...(await finish!()), ms: Math.min(...times), runs: times.length };
}

/** Whether another run is made after runs of these times. */
function hasTime(times: readonly number[]): boolean {
  return times.length < RUNS && times.reduce((sum, ms) => sum + ms, 0) < REPEAT_MS;
}

/** The map at the size of a tile, which is not part of the measured time. */
type Finish = () => Promise<Omit<Measured, 'ms' | 'runs'>>;

async function explained(
  { model, picture, input, explanation, tile, options }: Run,
  method: 'saliency' | 'fastcam',
): Promise<Finish> {
  const { taps } = options;
  const pick = (e: Explanation) => (method === 'saliency' ? e.combinedMap : e.fastcamMap);
  const result = model.net.explain(picture, {
    ...input,
    ...(taps !== undefined && { taps }),
    ...{ cam: method === 'saliency' ? 'none' : 'gradcam++', target: explanation.target! },
    maps: { longSide: Math.max(...explanation.inputSize) },
  });
  pick(result);
  // The class activation map of another classifier needs one, through the classifier alone.
  const passes = method === 'saliency' || model.net.hasLinearHead ? 0 : 1;
  return async () => {
    const { arena, maps } = result.cost.bytes;
    return {
      map: pick(result.resized(tile.width, tile.height)),
      passes,
      bytes: arena + maps,
    };
  };
}

async function attributed(
  { model, picture, input, explanation, tile, options }: Run,
  { method, smoothing }: ComparedMethod,
  onProgress: (done: number) => void,
): Promise<Finish> {
  const { score, steps, baseline, samples, noise, seed } = options;
  const asked: AttributionOptions = {
    method: method as Attribution['method'],
    smoothing,
    target: explanation.target!,
    ...(score !== undefined && { score }),
    ...(steps !== undefined && { steps }),
    ...(baseline !== undefined && { baseline }),
    ...(samples !== undefined && { samples }),
    ...(noise !== undefined && { noise }),
    ...(seed !== undefined && { seed }),
  };
  const attribution = await attributePicture(model, picture, asked, {
    ...input,
    onProgress,
  });
  return async () => {
    const { attributionMap } = await import('../gradients.js');
    const { passes, bytes } = attribution;
    return { map: attributionMap(attribution, tile), passes, bytes: bytes.pass };
  };
}

function reportOf(
  { model, picture, explanation }: Run,
  path: string,
  forward: Comparison['forward'],
  methods: readonly ComparedResult[],
  files: readonly string[],
): Comparison {
  const { width, height } = picture;
  const { logits, inputSize, target } = explanation;
  const { index, label, probability } = explanation
    .top(logits.length)
    .find((prediction) => prediction.index === target)!;
  return {
    version: VERSION,
    input: { path, width, height, networkInput: inputSize },
    model: describeModel(model),
    target: { index, label, probability },
    timing: TIMING,
    forward,
    weightBytes: model.net.weightBytes,
    methods,
    files,
  };
}
