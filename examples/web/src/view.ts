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
import type { Belief, Maps } from './maps.ts';
import type { Point } from './probe.ts';
import {
  MAP_NAMES,
  MAP_NOTES,
  MAP_TITLES,
  type MapName,
  SCALES,
  type Settings,
} from './settings.ts';

/** How many classes are listed. */
const TOP = 5;
/** A tile is small: a map with longer sides is painted there with every second pixel, or third, … */
const TILE_SIDE = 320;

interface Tile {
  readonly canvas: HTMLCanvasElement;
  readonly radio: HTMLInputElement;
  readonly note: HTMLElement;
  readonly value: HTMLElement;
  /** In colours, as last asked for. */
  readonly colored: (map: SaliencyMap, colormap: Colormap) => Picture;
}

/** A map as the tiles show it: numbers, or for LOVI colours. */
type Shown = SaliencyMap | Picture;

const main = element('main', HTMLElement);
const stage = element('stage', HTMLCanvasElement);
const stageName = element('stage-name', HTMLElement);
const stageValue = element('stage-value', HTMLElement);
const colorbar = element('colorbar', HTMLCanvasElement);
const classList = element('classes', HTMLElement);
const otherClass = element('other', HTMLSelectElement);

/** What each canvas shows. */
const onCanvas = new WeakMap<HTMLCanvasElement, Picture>();

const tiles = Object.fromEntries(MAP_NAMES.map((name) => [name, makeTile(name)])) as Readonly<
  Record<MapName, Tile>
>;
addLoviLegend();

/** The slider of each scale's weight, first to last. */
export const weightSliders: readonly HTMLInputElement[] = [
  ...document.querySelectorAll<HTMLInputElement>('.weight input'),
];

const overlaid = latest(overlay);
const mixed = latest(mix);
const enlarged = latest(enlarge);
const ramp = latest(colorRamp);
/** What `overlay` takes, the same object while it says the same. */
const overlayOptions = latest((colormap: Colormap, opacity: number) => ({ colormap, opacity }));

/** Paints everything that is not painted yet. */
export function drawMaps(picture: Picture, maps: Maps, settings: Settings): void {
  const { colormap, opacity, shown } = settings;
  main.style.setProperty('--ratio', String(picture.width / picture.height));
  for (const name of MAP_NAMES) {
    const { canvas, colored, note } = tiles[name];
    const map = mapNamed(maps, name);
    paint(canvas, 'shape' in map ? colored(map, colormap) : map);
    write(note, MAP_NOTES[name] ?? extents(map));
  }
  const map = mapNamed(maps, shown);
  const over =
    'shape' in map
      ? overlaid(picture, sizedAs(picture, map), overlayOptions(colormap, opacity))
      : mixed(picture, map, opacity);
  paint(stage, over);
  paint(colorbar, ramp(colormap));
  // LOVI's colours are not the colour map's: its key is by its tile.
  colorbar.parentElement!.hidden = shown === 'lovi';
  write(stageName, MAP_TITLES[shown]);
  for (const [i, slider] of weightSliders.entries()) {
    const weight = settings.scaleWeights[i]!;
    slider.value = String(weight);
    write(slider.nextElementSibling!, weight.toFixed(2));
  }
}

/** Says in words where the map that lies over the picture is greatest. */
export function describeStage(maps: Maps, shown: MapName): void {
  const map = mapNamed(maps, shown);
  const title = `${MAP_TITLES[shown]} over the picture`;
  stage.setAttribute('aria-label', 'shape' in map ? `${title}. ${greatest(map)}` : `${title}.`);
}

/** Shows the values at a point in every map, and returns them as one sentence; none without a point. */
export function showValues(maps: Maps, shown: MapName, point: Point | undefined): string {
  main.classList.toggle('probing', point !== undefined);
  if (point) {
    main.style.setProperty('--u', String(point.u));
    main.style.setProperty('--v', String(point.v));
  }
  const texts = MAP_NAMES.map((name) => {
    const text = point ? valueAt(mapNamed(maps, name), point).toFixed(3) : '';
    write(tiles[name].value, text);
    return `${MAP_TITLES[name]} ${text}`;
  });
  write(stageValue, tiles[shown].value.textContent);
  return point ? `${texts.join(', ')}.` : '';
}

/** Lists the likeliest classes, and all others to choose from. */
export function listClasses(classes: readonly Belief[], labels: readonly string[]): void {
  const rows = classes.slice(0, TOP).map(({ index, probability }) => {
    const row = document.createElement('label');
    const radio = document.createElement('input');
    const bar = document.createElement('meter');
    radio.type = 'radio';
    radio.name = 'class';
    radio.value = String(index);
    bar.value = probability;
    bar.ariaHidden = 'true';
    const percent = text('span', `${(100 * probability).toFixed(1)} %`);
    row.append(radio, text('span', labels[index]!), bar, percent);
    return row;
  });
  classList.replaceChildren(...rows);
  const none = new Option('…', '');
  const byName = [...labels.entries()].sort(([, a], [, b]) => a.localeCompare(b));
  otherClass.replaceChildren(none, ...byName.map(([i, label]) => new Option(label, String(i))));
}

/** Marks the class whose maps are shown. */
export function markClass(target: number): void {
  let listed = false;
  for (const radio of classList.querySelectorAll('input')) {
    radio.checked = Number(radio.value) === target;
    listed ||= radio.checked;
  }
  otherClass.value = listed ? '' : String(target);
}

/** Marks the map that lies over the picture. */
export function markShown(shown: MapName): void {
  tiles[shown].radio.checked = true;
}

function mapNamed(maps: Maps, name: MapName): Shown {
  return name.startsWith('scale')
    ? maps.scales[Number(name.slice(-1)) - 1]!
    : maps[name as Exclude<MapName, `scale${number}`>];
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

function extents(map: Shown): string {
  return 'shape' in map ? `${map.shape[1]} × ${map.shape[0]}` : '';
}

function greatest({ data, shape }: SaliencyMap): string {
  let best = 0;
  for (let i = 1; i < data.length; i++) if (data[i]! > data[best]!) best = i;
  const [height, width] = shape as [number, number];
  const left = Math.round((100 * (best % width)) / width);
  const top = Math.round((100 * Math.floor(best / width)) / height);
  return `Greatest, ${data[best]!.toFixed(2)}, at ${left} % from the left and ${top} % from the top.`;
}

function makeTile(name: MapName): Tile {
  const isScale = name.startsWith('scale');
  const template = element(isScale ? 'scale-tile' : 'map-tile', HTMLTemplateElement);
  const tile = template.content.firstElementChild!.cloneNode(true) as HTMLElement;
  const radio = tile.querySelector('input')!;
  const note = tile.querySelector('figcaption')!;
  tile.dataset['map'] = name;
  tile.ariaLabel = MAP_TITLES[name];
  radio.value = name;
  note.id = `${name}-note`;
  radio.setAttribute('aria-describedby', note.id);
  tile.querySelector('.name')!.textContent = MAP_TITLES[name];
  if (isScale) {
    tile.querySelector('.weight .unseen')!.textContent = `Weight of scale ${name.slice(-1)}`;
  }
  element(isScale ? 'scales' : 'together', HTMLElement).append(tile);
  return {
    canvas: tile.querySelector('canvas')!,
    radio,
    note,
    value: tile.querySelector('.value')!,
    colored: latest((map: SaliencyMap, colormap: Colormap) => colorize(thinned(map), colormap)),
  };
}

/** Under LOVI: a column for each scale, alone above and together with the others below. */
function addLoviLegend(): void {
  const legend = document.createElement('div');
  const canvas = document.createElement('canvas');
  legend.className = 'lovi-legend';
  canvas.role = 'img';
  canvas.ariaLabel =
    'Key: violet is the first scale, red the fifth; the more scales are salient, the paler the colour.';
  paint(canvas, loviLegend(SCALES, 100, 12));
  const numbers = Array.from({ length: SCALES }, (_, i) => text('span', String(i + 1)));
  legend.append(canvas, ...numbers);
  tiles.lovi.canvas.closest('figure')!.append(legend);
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
