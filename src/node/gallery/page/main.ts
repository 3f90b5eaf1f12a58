/** The page's script: reads the entries, and shows the selected ones. The address keeps the selection. */

import type { GalleryEntry } from '../gallery-page.js';
import { Cards } from './cards.js';
import { element, make } from './elements.js';
import {
  type Choice,
  choiceOf,
  EVERYTHING,
  fragmentOf,
  type Order,
  Selection,
} from './selection.js';
import { Viewer } from './viewer.js';

/** Browsers refuse to change the address at every key press. */
const ADDRESS_DELAY_MS = 300;

const entries = JSON.parse(element('entries', HTMLScriptElement).text) as readonly GalleryEntry[];
const selection = new Selection(entries);
let shown: readonly number[] = [];
let saving = 0;

const query = element('query', HTMLInputElement);
const order = element('order', HTMLSelectElement);
const count = element('count', HTMLElement);
const none = element('none', HTMLElement);
const reset = element('reset', HTMLButtonElement);
const controls = element('controls', HTMLElement);
/** Only with a classifier. */
const classes = selection.classes;
const ofClasses =
  classes.length === 0
    ? undefined
    : {
        name: element('class', HTMLSelectElement),
        least: element('least', HTMLInputElement),
        value: element('least-value', HTMLOutputElement),
      };

const viewer = new Viewer(entries, (index, kind) => cards.focus(index, kind));
const cards = new Cards(element('cards', HTMLElement), entries, (index, kind) =>
  viewer.open(shown, shown.indexOf(index), kind),
);

for (const { index, label, count: pictures } of classes) {
  const twice = classes.some((other) => other.label === label && other.index !== index);
  const option = make('option', '', `${label}${twice ? `, ${index}` : ''} (${pictures})`);
  option.value = String(index);
  ofClasses!.name.append(option);
}
controls.addEventListener('input', () => {
  show();
  clearTimeout(saving);
  saving = setTimeout(saveChoice, ADDRESS_DELAY_MS);
});
reset.addEventListener('click', () => {
  setControls({ ...EVERYTHING, order: order.value as Order });
  show();
  saveChoice();
  query.focus();
});
// A link would replace the selection with its own name.
document.querySelector('a[href="#failures"]')?.addEventListener('click', (event) => {
  event.preventDefault();
  const failures = element('failures', HTMLDetailsElement);
  failures.open = true;
  failures.querySelector('summary')!.focus();
});
addEventListener('hashchange', restore);
restore();
controls.hidden = false;

function show(): void {
  const choice = readControls();
  if (ofClasses) ofClasses.value.value = `${Math.round(100 * choice.least)} %`;
  shown = selection.choose(choice);
  cards.show(shown);
  const all = entries.length.toLocaleString('en');
  count.textContent = `${shown.length.toLocaleString('en')} of ${all} shown`;
  none.hidden = shown.length > 0;
  reset.hidden = shown.length === entries.length;
}

function readControls(): Choice {
  return {
    query: query.value,
    className: ofClasses?.name.value ?? '',
    least: Number(ofClasses?.least.value ?? 0),
    order: order.value as Order,
  };
}

function setControls(choice: Choice): void {
  query.value = choice.query;
  order.value = choice.order;
  // A name in an old address may no longer exist.
  if (order.selectedIndex < 0) order.value = 'given';
  if (!ofClasses) return;
  ofClasses.name.value = choice.className;
  if (ofClasses.name.selectedIndex < 0) ofClasses.name.value = '';
  ofClasses.least.value = String(choice.least);
}

function restore(): void {
  setControls(choiceOf(location.hash.slice(1)));
  show();
}

function saveChoice(): void {
  const fragment = fragmentOf(readControls());
  history.replaceState(
    null,
    '',
    fragment === '' ? location.pathname + location.search : `#${fragment}`,
  );
}
