/** What can be chosen for a network of one's own, and what is to be said of it. */

import { element } from './element.ts';
import type { Model } from './network.ts';
import type { Settings } from './settings.ts';

export const bundledButton: HTMLButtonElement = element('bundled', HTMLButtonElement);
export const pixelsSelect: HTMLSelectElement = element('pixels', HTMLSelectElement);
export const engineSelect: HTMLSelectElement = element('engine', HTMLSelectElement);
const notes = element('notes', HTMLElement);

/** Of a network of one's own: the way back, and what pixels become before it; of an ONNX file what runs it. */
export function offerChoices({ isOwn, isOnnx, channels }: Model, settings: Settings): void {
  bundledButton.hidden = !isOwn;
  pixelsSelect.value = settings.pixels;
  pixelsSelect.parentElement!.hidden = !isOwn;
  engineSelect.value = settings.engine;
  engineSelect.parentElement!.hidden = !isOnnx;
  pixelsSelect.querySelector<HTMLOptionElement>('[value=caffe]')!.disabled = channels !== 3;
}

/** Says what is to be said of the weights, and of the pixels while nobody says what becomes of them. */
export function tellNotes({ warnings, pixels }: Model, settings: Settings): void {
  const isAssumed = pixels !== undefined && settings.pixels === 'said';
  const lines = [...warnings, ...(isAssumed ? [pixels] : [])];
  notes.textContent = lines.map((line) => `Note: ${line}`).join('\n');
  notes.hidden = lines.length === 0;
}
