/** The list of classes: the likeliest, and the class that is shown if it is not one of them. */

import { element } from './element.ts';
import type { Belief } from './maps.ts';
import type { Engine, Model } from './network.ts';
import { whyNoCam } from './settings.ts';

/** How many classes are listed. */
const TOP = 5;
const CHOOSE_CLASS: Readonly<Record<Engine, string>> = {
  fastcam: 'Choose one to see what spoke for it, without another pass.',
  onnxruntime: 'Choose one to see what spoke for it, by another pass.',
};

const classList = element('classes', HTMLElement);
const hint = element('classes-hint', HTMLElement);
const otherClass = element('other', HTMLSelectElement);

/** What is listed. The row of a class that is chosen later is made from it. */
let listed: { readonly classes: readonly Belief[]; readonly model: Model } | undefined;

/** Lists the likeliest classes, and all others to choose from where the maps of a class can be shown. */
export function listClasses(classes: readonly Belief[], model: Model, engine: Engine): void {
  const { labels } = model;
  const canChoose = whyNoCam(model) === undefined;
  listed = { classes, model };
  classList.role = canChoose ? 'radiogroup' : 'list';
  classList.hidden = classes.length === 0;
  classList.replaceChildren(...classes.slice(0, TOP).map((belief) => rowOf(belief, model)));
  hint.textContent = labels.length === 0 ? whyNoCam(model)! : CHOOSE_CLASS[engine];
  hint.hidden = labels.length > 0 && !canChoose;
  otherClass.parentElement!.hidden = !canChoose || labels.length <= TOP;
  const none = new Option('…', '');
  const byName = [...labels.entries()].sort(([, a], [, b]) => a.localeCompare(b));
  otherClass.replaceChildren(none, ...byName.map(([i, label]) => new Option(label, String(i))));
}

/** Marks the class whose maps are shown. One that is not among the likeliest gets a row below them. */
export function markClass(target: number): void {
  const { classes, model } = listed!;
  const rank = classes.findIndex(({ index }) => index === target);
  for (const row of [...classList.children].slice(TOP)) row.remove();
  if (rank >= TOP) classList.append(rowOf(classes[rank]!, model));
  for (const radio of classList.querySelectorAll('input')) {
    radio.checked = Number(radio.value) === target;
  }
  otherClass.value = rank < TOP ? '' : String(target);
}

function rowOf({ index, probability }: Belief, model: Model): HTMLElement {
  const canChoose = whyNoCam(model) === undefined;
  const row = document.createElement(canChoose ? 'label' : 'div');
  if (!canChoose) row.role = 'listitem';
  const bar = span('');
  bar.className = 'bar';
  bar.style.setProperty('--share', String(probability));
  if (canChoose) row.append(radioOf(index));
  row.append(span(model.labels[index]!), bar, span(`${(100 * probability).toFixed(1)} %`));
  return row;
}

function radioOf(index: number): HTMLInputElement {
  const radio = document.createElement('input');
  radio.type = 'radio';
  radio.name = 'class';
  radio.value = String(index);
  return radio;
}

function span(content: string): HTMLElement {
  const made = document.createElement('span');
  made.textContent = content;
  return made;
}
