/**
 * The page: what is being looked at, what is set, and the wires between controls, network and view.
 *
 *   picture ─▶ network.ts ⇄ worker.ts ─▶ pass ─▶ maps.ts ─▶ view.ts
 *                                                   ▲ settings
 *
 * The network runs for a new picture, a new statistic of it, other pixels before it, and new weights. Everything else is the
 * combination, done between two frames.
 */

import type { Statistic } from 'fastcam';
import { STATISTIC_NAMES } from 'fastcam/kernels';
import type { CamMethod } from 'fastcam/methods';
import type { Colormap, Normalizer } from 'fastcam/viz';
import { listClasses, markClass } from './class-list.ts';
import { type Compared, wireComparison } from './comparison.ts';
import { wireDownloads } from './downloads.ts';
import { element } from './element.ts';
import { wireInside } from './inside.ts';
import { wireLive } from './live.ts';
import { beliefs, type Maps, mapsFromPasses } from './maps.ts';
import {
  bundledButton,
  engineSelect,
  offerChoices,
  pixelsSelect,
  tellNotes,
} from './model-choices.ts';
import { type Engine, type Model, Network, type Pass, type Pixels, passKey } from './network.ts';
import {
  markSample,
  type NamedBitmap,
  openSample,
  reducedPixels,
  SAMPLES,
  wirePictures,
} from './pictures.ts';
import { type Point, watchPoint } from './probe.ts';
import {
  DEFAULTS,
  isMethod,
  isOfClass,
  type MapName,
  presetWeights,
  type Settings,
  settingsFor,
  type WeightPreset,
} from './settings.ts';
import { wireTheme } from './theme.ts';
import {
  describeStage,
  drawMaps,
  markShown,
  nameStage,
  scaleOfSlider,
  showCost,
  showModel,
  showValues,
} from './view.ts';
import { type OwnWeights, sortOut } from './weights.ts';

/** The least weight, for a slider that would leave the sum at 0. */
const LEAST_WEIGHT = 0.01;
/** After the last change, so that a reader of the screen is not told every step of a slider. */
const DESCRIBE_AFTER_MS = 300;

/** A picture and what the network has made of it, by statistic and pixels. */
interface Subject {
  readonly name: string;
  /** The address of the sample that it is. */
  readonly sample: string | undefined;
  readonly pixels: ImageData;
  readonly size: readonly [height: number, width: number];
  readonly passes: Map<string, Pass>;
}

const status = element('status', HTMLElement);
const errorLine = element('error', HTMLElement);
const progress = element('progress', HTMLProgressElement);
const spokenValues = element('probe-values', HTMLElement);

const showProgress = (done: number): void => {
  progress.value = done;
};
const network = new Network(showProgress);
const mapsOf = mapsFromPasses();

let settings: Settings = DEFAULTS;
let model: Model | undefined;
/** Where they are one's own. */
let weightsOfModel: OwnWeights | undefined;
/** What the page is to show; its pass may be still to come. */
let subject: Subject | undefined;
/** What it shows. */
let view:
  | {
      readonly subject: Subject;
      readonly model: Model;
      readonly pixels: Pixels;
      readonly engine: Engine;
      readonly pass: Pass;
    }
  | undefined;
let point: Point | undefined;
/** The picture that was asked for last. */
let latestComing: Promise<NamedBitmap | undefined> | undefined;
/** How many tasks the progress bar stands for. */
let tasks = 0;
/** What the status line says while there are none: what came out last. */
let outcome = '';
/** Forward passes so far. */
let passes = 0;
/** The frame that is asked for, and the timer of the description that follows it. */
let frame = 0;
let describing = 0;

const methodsOf = wireComparison({
  now: compared,
  busily: (doing, work) => attempt(() => busy(doing, work)),
  onProgress: showProgress,
  onResults: (shown) => set(shown ? { shown } : {}),
});
const stopLive = wireLive({
  network,
  settings: () => settings,
  labels: () => model?.labels ?? [],
  attempt,
});
const lookInside = wireInside({
  network,
  now: () =>
    view && {
      ...{ model: view.model, pixels: view.pixels, picture: view.subject.pixels },
      combined: currentMaps(view).combined,
    },
  busily: (doing, work) => attempt(() => busy(doing, work)),
  moveTo: (found) => movePoint(found),
});
wireTheme(element('theme', HTMLButtonElement));
wireControls();
wireDownloads(() => {
  if (!view) return undefined;
  const { subject, model, pass } = view;
  const { width, height } = subject.pixels;
  return {
    picture: { name: subject.name, width, height },
    model,
    pass,
    maps: currentMaps(view),
    settings,
  };
}, attempt);
wirePictures({ picture: (coming) => attempt(() => open(coming)), files: openWeights });
const movePoint = watchPoint(
  element('main', HTMLElement),
  element('probe', HTMLElement),
  (moved, byKey) => {
    point = moved;
    lookInside(point);
    const values = view ? showValues(currentMaps(view), settings.shown, point) : '';
    if (byKey) spokenValues.textContent = values;
  },
);
attempt(async () => {
  const first = openSample(SAMPLES[0]);
  // A failure of either is told once, by the await that meets it.
  first.catch(() => {});
  await load();
  // A picture of one's own may have come first.
  if (!subject) await open(first);
  // Last, for it loads all files once more. Without it the page works as well, but not offline.
  if (import.meta.env.PROD)
    navigator.serviceWorker?.register('./service-worker.js').catch(() => {});
});

/** Runs an action; what goes wrong is told in one line. */
async function attempt(action: () => unknown): Promise<void> {
  errorLine.textContent = '';
  try {
    await action();
  } catch (error) {
    errorLine.textContent = error instanceof Error ? error.message : String(error);
  }
  // Said once: a screen reader reads it again whenever it is written.
  if (tasks === 0 && status.textContent !== outcome) status.textContent = outcome;
}

/** Runs what takes its time, behind the progress bar. */
async function busy<Result>(doing: string, work: () => Promise<Result>): Promise<Result> {
  tasks++;
  status.textContent = doing;
  progress.value = 0;
  document.body.classList.add('busy');
  try {
    return await work();
  } finally {
    if (--tasks === 0) document.body.classList.remove('busy');
  }
}

async function load(weights?: OwnWeights): Promise<void> {
  model = await busy('Reading the weights…', () => network.load(weights));
  weightsOfModel = weights;
  const { name, backend, labels } = model;
  const { length } = labels;
  const classes = length === 1 ? '1 class' : length > 0 ? `${length} classes` : 'no classifier';
  element('model', HTMLElement).textContent = `${name} · ${classes} · ${backend}`;
  settings = { ...settings, pixels: 'said', engine: 'fastcam' };
  offerChoices(model, settings);
  tellNotes(model, settings);
  if (!subject) return;
  subject.passes.clear();
  await look();
}

/** Weights, and class names if they come along. */
function openWeights(files: readonly File[]): void {
  attempt(async () => load(await sortOut(files)));
}

async function open(coming: Promise<NamedBitmap | undefined>): Promise<void> {
  latestComing = coming;
  const opened = await coming;
  // A later picture may have been decoded sooner.
  if (!opened || coming !== latestComing) return;
  const { name, bitmap, sample } = opened;
  stopLive();
  const pixels = reducedPixels(bitmap);
  const size = [pixels.height, pixels.width] as const;
  subject = { name, sample, pixels, size, passes: new Map() };
  await Promise.all([network.show(bitmap), look()]);
}

/**
 * Shows the subject by the statistic and pixels that are set, with a forward pass if it has none of them yet. Of a
 * picture or a network that is new, or other pixels, the likeliest class is shown, whatever was chosen before.
 */
async function look(): Promise<void> {
  if (!model || !subject) return;
  const { statistic, pixels, engine, cam } = settings;
  const isNewNow = (): boolean =>
    view?.model !== model || view?.subject !== subject || view?.pixels !== pixels;
  const target = isNewNow() ? undefined : settings.target;
  const asked = { statistic, pixels, engine, cam, target };
  const wanted = { model, subject, key: passKey(settings) };
  const { passes: made } = subject;
  let pass = made.get(passKey(asked));
  if (!pass) {
    const doing = `Looking by ${STATISTIC_NAMES[statistic]}…`;
    pass = await busy(doing, () => network.pass(asked));
    passes = pass.passes;
    made.set(passKey(asked), pass);
    made.set(passKey({ ...asked, target: pass.madeCam?.target ?? target }), pass);
  }
  const isWanted = wanted.model === model && wanted.subject === subject;
  if (!isWanted || wanted.key !== passKey(settings)) return;
  const isNew = isNewNow();
  const isOtherEngine = view?.engine !== engine;
  if (view?.model !== model) {
    settings = settingsFor(model, settings);
    showModel(model);
    markShown(settings.shown);
  }
  view = { model, subject, pixels, engine, pass };
  markSample(subject.sample);
  // Its maps are normalised by the Gaussian in the file, and every change but of weights takes a pass.
  element('normalizer', HTMLSelectElement).disabled = engine === 'onnxruntime';
  element('method-hint', HTMLElement).hidden = engine === 'onnxruntime';
  const classes = beliefs(pass.logits, model.activation);
  const [likeliest] = classes;
  outcome = likeliest
    ? `${model.labels[likeliest.index]}, ${(100 * likeliest.probability).toFixed(0)} %`
    : 'Done. This network has no classifier.';
  if (isNew || isOtherEngine) {
    listClasses(classes, model, engine);
    set({ target: isNew ? likeliest?.index : settings.target });
  }
  redraw();
}

function set(change: Partial<Settings>): void {
  const isOnnx = settings.engine === 'onnxruntime';
  const needsPass = isOnnx && view && ('target' in change || 'cam' in change);
  settings = { ...settings, ...change };
  if (change.target !== undefined) markClass(change.target);
  if (change.shown) markShown(change.shown);
  if (needsPass) attempt(look);
  else redraw();
}

/** Draws before the next frame, once for all changes until then. */
function redraw(): void {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(() => {
    if (!view) return;
    const start = performance.now();
    const maps = currentMaps(view);
    // Another class or picture has no maps of other methods yet.
    const { shown } = settings;
    if (isMethod(shown) && !maps.methods.has(shown)) settings = { ...settings, shown: 'combined' };
    drawMaps(view.subject.pixels, maps, settings);
    markShown(settings.shown);
    nameStage(view.subject.name, settings.shown, shownLabel(view.model));
    showValues(maps, settings.shown, point);
    lookInside(point);
    performance.measure('redraw', { start });
    showCost(view.pass, performance.now() - start, passes);
    clearTimeout(describing);
    describing = window.setTimeout(() => describeStage(maps, settings.shown), DESCRIBE_AFTER_MS);
  });
}

function currentMaps({ subject, model, pass }: NonNullable<typeof view>): Maps {
  return { ...mapsOf(pass, model, subject.size, settings), methods: methodsOf(compared()) };
}

/** What other methods are asked for: what is shown, by a network with a classifier. */
function compared(): Compared | undefined {
  const { target, pixels } = settings;
  if (!view || target === undefined) return undefined;
  return {
    model: view.model,
    weights: weightsOfModel,
    picture: view.subject.pixels,
    pixels,
    target,
  };
}

/** The class whose maps are shown. */
function shownLabel({ labels }: Model): string | undefined {
  return settings.target === undefined ? undefined : labels[settings.target];
}

function wireControls(): void {
  const statistic = element('statistic', HTMLSelectElement);
  statistic.append(
    ...Object.entries(STATISTIC_NAMES).map(([value, name]) => new Option(name, value)),
  );
  statistic.addEventListener('change', () => {
    settings = { ...settings, statistic: statistic.value as Statistic };
    attempt(look);
  });
  pixelsSelect.addEventListener('change', () => {
    settings = { ...settings, pixels: pixelsSelect.value as Pixels };
    if (model) tellNotes(model, settings);
    attempt(look);
  });
  engineSelect.addEventListener('change', () => {
    settings = { ...settings, engine: engineSelect.value as Engine };
    attempt(look);
  });
  onInput('normalizer', (value) => ({ normalizer: value as Normalizer }));
  onInput('cam', (value) => ({ cam: value as CamMethod }));
  onInput('colormap', (value) => ({ colormap: value as Colormap }));
  onInput('opacity', (value) => ({ opacity: Number(value) }));
  onInput('scales', weightsOrMap);
  onInput('together', weightsOrMap);
  onInput('compared', weightsOrMap);
  onInput('classes', classMaps);
  onInput('other', (value) => (value === '' ? {} : classMaps(value)));
  bundledButton.addEventListener('click', () => attempt(load));
  element('close-error', HTMLButtonElement).addEventListener('click', () => {
    errorLine.textContent = '';
  });
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-weights]')) {
    const preset = button.dataset['weights'] as WeightPreset;
    button.addEventListener('click', () =>
      set({ scaleWeights: presetWeights(preset, settings.scaleWeights.length) }),
    );
  }
  markShown(settings.shown);
}

/** Applies what an input in the element says, whenever it says it. */
function onInput(
  id: string,
  change: (value: string, input: HTMLElement) => Partial<Settings>,
): void {
  element(id, HTMLElement).addEventListener('input', ({ target }) => {
    const input = target as HTMLInputElement | HTMLSelectElement;
    set(change(input.value, input));
  });
}

/** A class that is chosen is shown: where the picture has a map over it that knows no class, by its CAM. */
function classMaps(value: string): Partial<Settings> {
  return { target: Number(value), ...(!isOfClass(settings.shown) && { shown: 'cam' }) };
}

/** A tile has a radio that lays it over the picture, and that of a scale a slider. */
function weightsOrMap(value: string, input: HTMLElement): Partial<Settings> {
  const scale = scaleOfSlider(input);
  if (scale === undefined) return { shown: value as MapName };
  const scaleWeights = settings.scaleWeights.with(scale, Number(value));
  const isPositive = scaleWeights.some((weight) => weight > 0);
  return { scaleWeights: isPositive ? scaleWeights : scaleWeights.with(scale, LEAST_WEIGHT) };
}
