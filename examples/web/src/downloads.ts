/** What can be saved: the picture as it is shown, and the numbers that all of the page is made from. */

import type { SaliencyMap } from 'fastcam/viz';
import { element } from './element.ts';
import { type Belief, beliefs, type Maps } from './maps.ts';
import type { Model, Pass } from './network.ts';
import { isOfClass, type MapName, type Settings, titleOf } from './settings.ts';

export interface Report {
  readonly picture: { readonly name: string; readonly width: number; readonly height: number };
  readonly model: Pick<Model, 'name' | 'backend'>;
  readonly settings: Settings;
  readonly ms: Pass['ms'];
  readonly top: readonly (Belief & { readonly label: string })[];
  /** Without a classifier there is none. */
  readonly target?: { readonly index: number; readonly label: string };
  /** First to last: the statistic as measured, and normalised; of onnxruntime-web normalised both. */
  readonly scales: readonly {
    readonly name: string;
    readonly raw: PlainMap;
    readonly normalized: PlainMap;
  }[];
  /** Of the target, at the resolution of the last stage, not normalised; where there is one. */
  readonly cam?: PlainMap;
}

/** What can be saved now. */
export interface Savable {
  readonly picture: Report['picture'];
  readonly model: Model;
  readonly pass: Pass;
  readonly maps: Maps;
  readonly settings: Settings;
}

/** Wires the buttons. @param now gives what is shown, none before the first picture */
export function wireDownloads(
  now: () => Savable | undefined,
  attempt: (action: () => unknown) => void,
): void {
  const onClick = (id: string, action: (shown: Savable) => unknown): void => {
    element(id, HTMLButtonElement).addEventListener('click', () =>
      attempt(() => {
        const shown = now();
        return shown && action(shown);
      }),
    );
  };
  onClick('save-png', async ({ picture, model, settings: { shown, target } }) => {
    const name = pngName(
      picture.name,
      shown,
      target === undefined ? undefined : model.labels[target],
    );
    save(name, await pngOf(element('stage', HTMLCanvasElement)));
  });
  onClick('save-json', ({ picture, model, pass, maps, settings }) => {
    const report = makeReport(picture, model, pass, maps, settings);
    save(jsonName(picture.name), new Blob([JSON.stringify(report)], { type: 'application/json' }));
  });
}

/** Rows after rows. */
export interface PlainMap {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** Maps of the picture's size are left out: they follow from these and the settings. */
function makeReport(
  picture: Report['picture'],
  model: Model,
  pass: Pass,
  maps: Maps,
  settings: Settings,
): Report {
  const { name, backend, labels, activation } = model;
  const { target } = settings;
  return {
    picture,
    model: { name, backend },
    settings: { ...settings, statistic: pass.statistic },
    ms: pass.ms,
    top: beliefs(pass.logits, activation)
      .slice(0, 5)
      .map((belief) => ({ ...belief, label: labels[belief.index]! })),
    ...(target !== undefined && { target: { index: target, label: labels[target]! } }),
    scales: maps.scales.map((map, i) => ({
      name: model.scales[i]!,
      raw: plain(pass.rawMaps[i]!),
      normalized: plain(map),
    })),
    ...(maps.ofClass && { cam: plain(maps.ofClass.coarseCam) }),
  };
}

/** Nine digits tell every float32 from every other. */
function plain({ shape, data }: SaliencyMap): PlainMap {
  return { shape, data: Array.from(data, (value) => Number(value.toPrecision(9))) };
}

/** What a picture of this map over that picture is saved as: `chelsea-non-class-teapot.png`. */
function pngName(picture: string, shown: MapName, label: string | undefined): string {
  const ofClass = isOfClass(shown) && label !== undefined ? [label] : [];
  return `${[stemOf(picture), ...[titleOf(shown), ...ofClass].map(plainWords)].join('-')}.png`;
}

function jsonName(picture: string): string {
  return `${stemOf(picture)}.fastcam.json`;
}

function stemOf(name: string): string {
  return name.replace(/(?<=.)\.[^.]*$/, '');
}

/** In small letters, with a hyphen for all that no file system needs to know. */
function plainWords(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '');
}

/** Some browsers begin to read what is saved only after the click. */
const KEPT_MS = 60_000;

function save(name: string, blob: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}

function pngOf(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture is empty.'))));
  });
}
