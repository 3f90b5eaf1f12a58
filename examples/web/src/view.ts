/**
 * The view: paints maps to canvases with fastcam's own pictures, and writes what stands beside them. A
 * canvas is painted again only when its picture is another than the one on it.
 */

import {
  type Colormap,
  colorize,
  createPicture,
  loviLegend,
  overlay,
  type Picture,
  type SaliencyMap,
  toNdArray,
  upsampleBilinear,
} from 'fastcam/viz';
import { element } from './element.ts';
import { latest } from './latest.ts';
import { extremesOf, greatest, type Range, spreadToUnit } from './map-values.ts';
import type { Maps } from './maps.ts';
import type { Model, Pass } from './network.ts';
import type { Point } from './probe.ts';
import {
  DEFAULTS,
  isMethod,
  isOfClass,
  isScale,
  MAP_NOTES,
  type MapName,
  type MethodMapName,
  mapNames,
  PRIOR_SCALES,
  presetWeights,
  type Settings,
  scaleIndex,
  titleOf,
  type WeightPreset,
  whyNoCam,
} from './settings.ts';

/** A tile is small: a map with longer sides is painted there with every second pixel, or third, … */
const TILE_SIDE = 320;

interface Tile {
  readonly figure: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly radio: HTMLInputElement;
  readonly note: HTMLElement;
  readonly value: HTMLElement;
  /** The weight's slider, of a scale. */
  readonly slider: HTMLInputElement | null;
  /** In colours, as last asked for. */
  readonly colored: (map: SaliencyMap, range: Range, colormap: Colormap) => Picture;
  /** From its least value to its greatest. */
  readonly extremes: (map: SaliencyMap) => Range;
}

/** A map as the tiles show it: numbers, or for LOVI colours. */
type Shown = SaliencyMap | Picture;

const UNIT: Range = [0, 1];

/** How much wider than high a picture is drawn at most, and how much higher than wide. */
const WIDEST = 6;
const HIGHEST = 4;

const main = element('main', HTMLElement);
const stage = element('stage', HTMLCanvasElement);
const stageName = element('stage-name', HTMLElement);
const stagePicture = element('stage-picture', HTMLElement);
const stageValue = element('stage-value', HTMLElement);
const stretched = element('stretched', HTMLElement);
const colorbar = element('colorbar', HTMLCanvasElement);
const leastOfBar = element('least', HTMLElement);
const mostOfBar = element('most', HTMLElement);
const costLine = element('cost', HTMLElement);
const scalesTitle = element('scales-title', HTMLElement);
const noCam = element('no-cam', HTMLElement);
const camSelect = element('cam', HTMLSelectElement);
const priorButton = element('prior', HTMLButtonElement);
const priorNote = element('prior-note', HTMLElement);

/** What each canvas shows. */
const onCanvas = new WeakMap<HTMLCanvasElement, Picture>();

/** The tiles that are on the page, in its order: until a network is there, those of the bundled one. */
let tiles = new Map<MapName, Tile>();
/** The names of the values where scales end. */
let scaleNames: readonly string[] = [];
arrangeTiles(DEFAULTS.scaleWeights.length, true);

const presetButtons = document.querySelectorAll<HTMLButtonElement>('[data-weights]');

const overlaid = latest(overlay);
const spread = latest(spreadToUnit);
const mixed = latest(mix);
const enlarged = latest(enlarge);
const ramp = latest(colorRamp);
/** What `overlay` takes, the same object while it says the same. */
const overlayOptions = latest((colormap: Colormap, opacity: number) => ({ colormap, opacity }));

/** Paints everything that is not painted yet. */
export function drawMaps(picture: Picture, maps: Maps, settings: Settings): void {
  const { colormap, opacity, shown } = settings;
  showShape(picture);
  arrangeMethods([...maps.methods.keys()]);
  for (const [name, tile] of tiles) {
    const { canvas, colored, note, slider } = tile;
    const map = mapNamed(maps, name);
    paint(canvas, 'shape' in map ? colored(map, rangeOf(name, map, maps), colormap) : map);
    write(note, noteOf(name, maps));
    if (slider && isScale(name)) {
      const weight = settings.scaleWeights[scaleIndex(name)]!;
      slider.value = String(weight);
      write(slider.nextElementSibling!, weight.toFixed(2));
    }
  }
  const map = mapNamed(maps, shown);
  if ('shape' in map) {
    const range = rangeOf(shown, map, maps);
    const unit = sizedAs(picture, spread(map, range));
    paint(stage, overlaid(picture, unit, overlayOptions(colormap, opacity)));
    write(leastOfBar, shortNumber(range[0]));
    write(mostOfBar, shortNumber(range[1]));
  } else {
    paint(stage, mixed(picture, map, opacity));
  }
  paint(colorbar, ramp(colormap));
  // LOVI's colours are not the colour map's: its key is by its tile.
  colorbar.parentElement!.hidden = shown === 'lovi';
  for (const button of presetButtons) markPreset(button, settings.scaleWeights);
}

function noteOf(name: MapName, maps: Maps): string {
  if (isMethod(name)) return maps.methods.get(name)!.note;
  if (!isScale(name)) return MAP_NOTES[name];
  return `${scaleNames[scaleIndex(name)]}\n${extents(mapNamed(maps, name))}`;
}

/** Says what lies over which picture. @param label of the class whose maps are shown */
export function nameStage(pictureName: string, shown: MapName, label: string | undefined): void {
  const isLabelled = isOfClass(shown) && label !== undefined;
  write(stageName, isLabelled ? `${titleOf(shown)} for ${label}` : titleOf(shown));
  write(stagePicture, pictureName);
}

/** Gives the frames the picture's shape; one that would be a mere line is stretched, and the page says so. */
function showShape({ width, height }: Picture): void {
  const ratio = width / height;
  const shownRatio = Math.min(WIDEST, Math.max(1 / HIGHEST, ratio));
  main.style.setProperty('--ratio', String(shownRatio));
  const factor = Math.max(ratio / shownRatio, shownRatio / ratio);
  stretched.hidden = factor === 1;
  const direction = ratio > shownRatio ? 'high' : 'wide';
  write(
    stretched,
    `The picture is drawn about ${Math.round(factor)} times as ${direction} as it is.`,
  );
}

/** A preset's button is pressed while the weights are the preset's. */
function markPreset(button: HTMLButtonElement, weights: readonly number[]): void {
  const preset = button.dataset['weights'] as WeightPreset;
  const isSet = !button.disabled && presetWeights(preset, weights.length).join() === weights.join();
  button.ariaPressed = String(isSet);
}

/** 0…1 for normalised maps; others are shown by their own values. */
function rangeOf(name: MapName, map: SaliencyMap, { isNormalized }: Maps): Range {
  return isNormalized || isMethod(name) ? UNIT : tiles.get(name)!.extremes(map);
}

/** Gives the page the tiles and controls that the network has a use for, and says why others are missing. */
export function showModel(model: Model): void {
  const scales = model.scales.length;
  const reason = whyNoCam(model);
  scaleNames = model.scales;
  arrangeTiles(scales, !reason);
  write(scalesTitle, scales === 1 ? '1 scale' : `${scales} scales`);
  noCam.hidden = !reason;
  write(noCam, reason ?? '');
  camSelect.disabled = reason !== undefined;
  // Gradients are those of a class.
  element('comparison', HTMLElement).hidden = model.labels.length === 0;
  priorButton.disabled = scales !== PRIOR_SCALES;
  priorNote.hidden = !priorButton.disabled;
}

/** The index of the scale whose weight an input sets, where it is such an input. */
export function scaleOfSlider(input: HTMLElement): number | undefined {
  const found = [...tiles].find(([, { slider }]) => slider === input);
  return found && isScale(found[0]) ? scaleIndex(found[0]) : undefined;
}

/** Says in words where the map that lies over the picture is greatest. */
export function describeStage(maps: Maps, shown: MapName): void {
  const map = mapNamed(maps, shown);
  const title = `${titleOf(shown)} over the picture`;
  stage.setAttribute('aria-label', 'shape' in map ? `${title}. ${greatest(map)}` : `${title}.`);
}

/** Shows the values at a point in every map, and returns them as one sentence; none without a point. */
export function showValues(maps: Maps, shown: MapName, point: Point | undefined): string {
  main.classList.toggle('probing', point !== undefined);
  if (point) {
    main.style.setProperty('--u', String(point.u));
    main.style.setProperty('--v', String(point.v));
  }
  const texts = [...tiles].map(([name, { value }]) => {
    // The tiles of methods come and go with the next frame.
    const isThere = !isMethod(name) || maps.methods.has(name);
    const text = point && isThere ? valueAt(mapNamed(maps, name), point).toFixed(3) : '';
    write(value, text);
    return `${titleOf(name)} ${text}`;
  });
  write(stageValue, tiles.get(shown)?.value.textContent ?? '');
  return point ? `${texts.join(', ')}.` : '';
}

/** Says what the pass and the last redraw took. @param passes so far */
export function showCost({ ms, engine }: Pass, redrawMs: number, passes: number): void {
  const soFar = passes === 1 ? '1 forward pass' : `${passes} forward passes`;
  const network = `${engine} ${ms.network.toFixed(0)} ms`;
  write(costLine, `${network} · redrawn in ${redrawMs.toFixed(1)} ms · ${soFar} so far`);
}

/** Marks the map that lies over the picture, if its tile is there already. */
export function markShown(shown: MapName): void {
  const tile = tiles.get(shown);
  if (tile) tile.radio.checked = true;
}

function mapNamed(maps: Maps, name: MapName): Shown {
  if (isScale(name)) return maps.scales[scaleIndex(name)]!;
  if (isMethod(name)) return maps.methods.get(name)!.map;
  return isOfClass(name) ? maps.ofClass![name] : maps[name];
}

function paint(canvas: HTMLCanvasElement, picture: Picture): void {
  if (onCanvas.get(canvas) === picture) return;
  onCanvas.set(canvas, picture);
  const { data, width, height } = picture;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  // A view of the same bytes.
  const pixels = new Uint8ClampedArray(data.buffer as ArrayBuffer, data.byteOffset, data.length);
  canvas.getContext('2d')!.putImageData(new ImageData(pixels, width, height), 0, 0);
}

/** A view of the map, no longer than a tile has use for. */
function thinned(map: SaliencyMap): SaliencyMap {
  const step = Math.ceil(Math.max(...map.shape) / TILE_SIDE);
  const shape = map.shape.map((extent) => Math.ceil(extent / step));
  return { ...map, shape, stride: map.stride.map((stride) => stride * step) };
}

function sizedAs({ width, height }: Picture, map: SaliencyMap): SaliencyMap {
  return map.shape[0] === height && map.shape[1] === width ? map : enlarged(map, width, height);
}

function enlarge(map: SaliencyMap, width: number, height: number): SaliencyMap {
  const data = new Float32Array(width * height);
  upsampleBilinear(data, [height, width], map);
  return toNdArray(data, [height, width]);
}

/** share · over + (1 − share) · picture, for colours that are no colour map's. */
function mix(picture: Picture, over: Picture, share: number): Picture {
  const out = createPicture(picture.width, picture.height);
  for (let i = 0; i < out.data.length; i++) {
    out.data[i] = share * over.data[i]! + (1 - share) * picture.data[i]!;
  }
  return out;
}

function colorRamp(colormap: Colormap): Picture {
  const steps = Float32Array.from({ length: 128 }, (_, i) => i / 127);
  return colorize(toNdArray(steps, [1, steps.length]), colormap);
}

/** The value of the pixel that the point lies in; of LOVI its brightness, the greatest of the scales. */
function valueAt(map: Shown, { u, v }: Point): number {
  const [height, width] = 'shape' in map ? map.shape : [map.height, map.width];
  const i = Math.floor(v * height!) * width! + Math.floor(u * width!);
  if ('shape' in map) return map.data[i]!;
  return Math.max(...map.data.subarray(4 * i, 4 * i + 3)) / 255;
}

function shortNumber(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function extents(map: Shown): string {
  return 'shape' in map ? `${map.shape[1]} × ${map.shape[0]}` : '';
}

/** Puts the tiles of a network with so many scales on the page, where others are there. */
function arrangeTiles(scales: number, withCam: boolean): void {
  arrangeMethods([]);
  const names = mapNames(scales, withCam);
  if (names.join() === [...tiles.keys()].join()) return;
  tiles = new Map(names.map((name) => [name, tiles.get(name) ?? makeTile(name)]));
  const figures = (ofScales: boolean): HTMLElement[] =>
    [...tiles].filter(([name]) => isScale(name) === ofScales).map(([, { figure }]) => figure);
  element('scales', HTMLElement).replaceChildren(...figures(true));
  element('together', HTMLElement).replaceChildren(...figures(false));
  const lovi = tiles.get('lovi')!.figure;
  lovi.querySelector('.lovi-legend')?.remove();
  lovi.append(makeLoviLegend(scales));
}

/** Puts the tiles of the methods that were asked for on the page. */
function arrangeMethods(names: readonly MethodMapName[]): void {
  const before = [...tiles.keys()].filter(isMethod);
  if (names.join() === before.join()) return;
  for (const name of before.filter((one) => !names.includes(one))) tiles.delete(name);
  for (const name of names) tiles.set(name, tiles.get(name) ?? makeTile(name));
  element('compared', HTMLElement).replaceChildren(...names.map((name) => tiles.get(name)!.figure));
}

function makeTile(name: MapName): Tile {
  const template = element(isScale(name) ? 'scale-tile' : 'map-tile', HTMLTemplateElement);
  const figure = template.content.firstElementChild!.cloneNode(true) as HTMLElement;
  const radio = figure.querySelector('input')!;
  const note = figure.querySelector('figcaption')!;
  figure.dataset['map'] = name;
  figure.ariaLabel = titleOf(name);
  radio.value = name;
  note.id = `${name}-note`;
  radio.setAttribute('aria-describedby', note.id);
  figure.querySelector('.name')!.textContent = titleOf(name);
  if (isScale(name)) {
    figure.querySelector('.weight .unseen')!.textContent =
      `Weight of scale ${scaleIndex(name) + 1}`;
  }
  return {
    figure,
    canvas: figure.querySelector('canvas')!,
    radio,
    note,
    value: figure.querySelector('.value')!,
    slider: figure.querySelector('.weight input'),
    colored: latest((map: SaliencyMap, range: Range, colormap: Colormap) =>
      colorize(thinned(spreadToUnit(map, range)), colormap),
    ),
    extremes: latest(extremesOf),
  };
}

/** Under LOVI: a column for each scale, alone above and together with the others below. */
function makeLoviLegend(scales: number): HTMLElement {
  const legend = document.createElement('div');
  const canvas = document.createElement('canvas');
  legend.className = 'lovi-legend';
  legend.style.setProperty('--scales', String(scales));
  canvas.role = 'img';
  canvas.ariaLabel =
    'Key: violet is the first scale, red the last; the more scales are salient, the paler the colour.';
  paint(canvas, loviLegend(scales, 100, 12));
  const numbers = Array.from({ length: scales }, (_, i) => text('span', String(i + 1)));
  legend.append(canvas, ...numbers);
  return legend;
}

/** Changes a text only where it says something else: what is written is laid out again. */
function write(place: Element, content: string): void {
  if (place.textContent !== content) place.textContent = content;
}

function text(tag: string, content: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = content;
  return made;
}
