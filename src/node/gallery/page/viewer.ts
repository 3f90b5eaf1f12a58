/** The dialog with one large picture: keys 1 to 4 choose its kind, the arrow keys go to the pictures before and after. */

import { type GalleryEntry, KINDS, type Kind } from '../gallery-page.js';
import { kindsOf, nameOfKind, pathParts } from './cards.js';
import { classesOf } from './classes.js';
import { element, make } from './elements.js';

export class Viewer {
  readonly #entries: readonly GalleryEntry[];
  readonly #dialog = element('viewer', HTMLDialogElement);
  readonly #title = element('viewer-title', HTMLElement);
  readonly #place = element('viewer-place', HTMLElement);
  readonly #large = element('large', HTMLImageElement);
  readonly #classes = element('viewer-classes', HTMLElement);
  readonly #told = element('viewer-told', HTMLElement);
  readonly #buttons: ReadonlyMap<Kind, HTMLButtonElement>;
  /** Indices of the entries on the page. */
  #shown: readonly number[] = [];
  #position = 0;
  #kind: Kind = 'picture';

  /** @param closed called with the index of the entry that was shown last */
  constructor(entries: readonly GalleryEntry[], closed: (index: number, kind: Kind) => void) {
    this.#entries = entries;
    const known = new Set(entries.flatMap(kindsOf));
    this.#buttons = new Map(
      KINDS.filter((kind) => known.has(kind)).map((kind) => [kind, this.#button(kind)]),
    );
    element('kinds', HTMLElement).append(...this.#buttons.values());
    const on = (id: string, act: () => void): void =>
      element(id, HTMLButtonElement).addEventListener('click', act);
    on('close', () => this.#dialog.close());
    on('previous', () => this.#move(-1));
    on('next', () => this.#move(1));
    this.#dialog.addEventListener('close', () => closed(this.#shown[this.#position]!, this.#kind));
    document.addEventListener('keydown', (event) => {
      const { altKey, ctrlKey, metaKey } = event;
      if (this.#dialog.open && !(altKey || ctrlKey || metaKey) && this.#press(event.key)) {
        event.preventDefault();
      }
    });
  }

  /** Shows the entry at a position among those on the page. */
  open(shown: readonly number[], position: number, kind: Kind): void {
    this.#shown = shown;
    this.#position = position;
    this.#kind = kind;
    this.#draw();
    this.#dialog.showModal();
  }

  /** @returns whether the key has a meaning */
  #press(key: string): boolean {
    if (key === 'ArrowLeft') this.#move(-1);
    else if (key === 'ArrowRight') this.#move(1);
    else if (/^[1-4]$/.test(key)) this.#choose(KINDS[Number(key) - 1]!);
    else return false;
    return true;
  }

  /** After the last picture comes the first. */
  #move(step: number): void {
    const { length } = this.#shown;
    this.#position = (this.#position + step + length) % length;
    this.#draw();
  }

  #choose(kind: Kind): void {
    if (this.#entry.pictures[kind] === undefined) return;
    this.#kind = kind;
    this.#draw();
  }

  get #entry(): GalleryEntry {
    return this.#entries[this.#shown[this.#position]!]!;
  }

  #draw(): void {
    const entry = this.#entry;
    const kinds = kindsOf(entry);
    // A picture without this kind shows another kind; there may be none.
    const kind = kinds.includes(this.#kind) ? this.#kind : kinds[0];
    const place = `${this.#position + 1} of ${this.#shown.length}`;
    this.#title.replaceChildren(...pathParts(entry.title));
    this.#title.title = entry.title;
    this.#place.textContent = `${entry.width} × ${entry.height}, ${place}`;
    for (const [of, button] of this.#buttons) {
      button.disabled = !kinds.includes(of);
      button.ariaPressed = String(of === kind);
    }
    const told = kind ? `${nameOfKind(kind)} of ${entry.title}` : entry.title;
    this.#large.alt = told;
    if (kind) this.#large.src = entry.pictures[kind]!;
    else this.#large.removeAttribute('src');
    this.#classes.replaceChildren(...classesOf(entry));
    this.#told.textContent = `${told}, ${place}`;
  }

  #button(kind: Kind): HTMLButtonElement {
    const key = String(KINDS.indexOf(kind) + 1);
    const number = make('kbd', '', key);
    number.ariaHidden = 'true';
    const button = make('button', '', number, ' ', nameOfKind(kind));
    button.type = 'button';
    button.setAttribute('aria-keyshortcuts', key);
    button.addEventListener('click', () => this.#choose(kind));
    return button;
  }
}
