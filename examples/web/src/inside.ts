/**
 * Looking inside: at the point that is looked at, the column of every scale, sorted, and the numbers that saliency is
 * made of. It begins where the combined map is greatest. The activations come with one more pass, when somebody asks.
 */

import type { SaliencyMap } from 'fastcam/viz';
import { numbersOf, sortedColumn } from './column-numbers.ts';
import { element } from './element.ts';
import { greatestPoint } from './map-values.ts';
import type { Model, Network, Pixels, ScaleColumns } from './network.ts';
import type { Point } from './probe.ts';

/** What is looked into: columns hold for one network, picture, and what pixels become. */
export interface Looked {
  readonly model: Model;
  readonly picture: ImageData;
  readonly pixels: Pixels;
}

/** What the page gives and is told. */
export interface InsideHooks {
  readonly network: Pick<Network, 'columns'>;
  /** What is shown now, and its combined map; none before the first picture. */
  readonly now: () => (Looked & { readonly combined: SaliencyMap }) | undefined;
  /** Runs it behind the progress bar, and tells its errors. */
  readonly busily: (doing: string, work: () => Promise<void>) => void;
  /** Moves the point that values are read at. */
  readonly moveTo: (point: Point) => void;
}

/** Width and height of a plot, in its own units. */
const PLOT_WIDTH = 120;
const PLOT_HEIGHT = 48;
/** A plot has no room for more values: of a longer column it shows as many, evenly spread. */
const MOST_BARS = 240;

const button = element('inside', HTMLButtonElement);
const list = element('columns', HTMLElement);
const template = element('column-card', HTMLTemplateElement);

/** Wires the button. @returns what shows the columns at a point, or at the last one without */
export function wireInside(hooks: InsideHooks): (point: Point | undefined) => void {
  let isOpen = false;
  /** What is there, or on its way. */
  let of: Looked | undefined;
  let scales: readonly ScaleColumns[] = [];
  let last: Point | undefined;

  const load = async (wanted: Looked): Promise<void> => {
    of = wanted;
    scales = [];
    list.replaceChildren();
    const { pixels } = wanted;
    const loaded = await hooks.network.columns(pixels);
    const now = hooks.now();
    if (!isOpen || of !== wanted || !now) return;
    scales = loaded;
    list.replaceChildren(...scales.map((scale, i) => cardOf(scale, i, wanted.model)));
    last = greatestPoint(now.combined);
    hooks.moveTo(last);
    show();
  };
  const show = (): void => {
    if (last) for (const [i, scale] of scales.entries()) fill(list.children[i]!, scale, last);
  };
  const follow = (point: Point | undefined): void => {
    if (!isOpen) return;
    const wanted = hooks.now();
    if (!wanted) return;
    if (!isSame(of, wanted)) {
      hooks.busily('Looking inside…', () => load(wanted));
      return;
    }
    last = point ?? last;
    show();
  };
  button.addEventListener('click', () => {
    isOpen = !isOpen;
    button.ariaExpanded = String(isOpen);
    button.textContent = isOpen ? 'Close' : 'Look inside';
    list.hidden = !isOpen;
    of = undefined;
    follow(undefined);
  });
  return follow;
}

function isSame(a: Looked | undefined, b: Looked): boolean {
  return a?.model === b.model && a.picture === b.picture && a.pixels === b.pixels;
}

function cardOf({ shape: [H, W, C] }: ScaleColumns, i: number, { scales }: Model): Element {
  const card = template.content.firstElementChild!.cloneNode(true) as HTMLElement;
  const title = `Scale ${i + 1}`;
  card.ariaLabel = title;
  card.querySelector('h3')!.textContent = title;
  card.querySelector('.of')!.textContent = `${scales[i]}\n${C} channels, ${W} × ${H}`;
  return card;
}

/** Shows the column of a scale at a point. */
function fill(card: Element, { data, shape: [H, W, C] }: ScaleColumns, { u, v }: Point): void {
  const place = Math.floor(v * H) * W + Math.floor(u * W);
  const column = data.subarray(place * C, (place + 1) * C);
  const { mean, meanLog, phi, theta, shape, zeros } = numbersOf(column);
  const texts = {
    mean: short(mean),
    'mean-log': short(meanLog),
    phi: short(phi),
    theta: short(theta),
    shape: short(shape),
    zeros: `${zeros} of ${C}`,
  };
  for (const [name, text] of Object.entries(texts)) {
    card.querySelector(`[data-number="${name}"]`)!.textContent = text;
  }
  const sorted = sortedColumn(column);
  const most = sorted[0]!;
  card.querySelector('.most')!.textContent = short(most);
  const heightOf = (value: number): number => (most > 0 ? (PLOT_HEIGHT * value) / most : 0);
  card.querySelector('path')!.setAttribute('d', outline(sorted, heightOf));
  const line = card.querySelector('line')!;
  for (const end of ['y1', 'y2']) line.setAttribute(end, String(PLOT_HEIGHT - heightOf(mean)));
  const range = `from ${short(most)} down to ${short(sorted.at(-1)!)}`;
  card.querySelector('svg')!.ariaLabel = `${C} values ${range}, their mean ${texts.mean}`;
}

/** Bars side by side, as one path. */
function outline(sorted: Float32Array, heightOf: (value: number) => number): string {
  const bars = Math.min(sorted.length, MOST_BARS);
  let path = `M0 ${PLOT_HEIGHT}`;
  for (let i = 0; i < bars; i++) {
    const value = sorted[Math.floor(((i + 0.5) * sorted.length) / bars)]!;
    const y = (PLOT_HEIGHT - heightOf(value)).toFixed(2);
    path += `V${y}H${(((i + 1) * PLOT_WIDTH) / bars).toFixed(2)}`;
  }
  return `${path}V${PLOT_HEIGHT}Z`;
}

/** Four digits tell columns apart. */
function short(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : '∞';
}
