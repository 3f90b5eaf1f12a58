/**
 * The cards, one for each picture. A card always has its name, so that the browser's search finds it. Its tiles and
 * classes exist only near the window, so that a thousand pictures cost little more than a dozen.
 */

import { type GalleryEntry, KINDS, type Kind } from '../gallery-page.js';
import { classesOf } from './classes.js';
import { make } from './elements.js';

const KIND_NAMES: Readonly<Record<string, string>> = {
  picture: 'Picture',
  overlay: 'Overlay',
  lovi: 'LOVI',
  fastcam: 'FastCAM',
};

/** Cards that are filled at once, and not in the next frame: about as many as a window shows. */
const FIRST = 12;

export function nameOfKind(kind: string): string {
  return KIND_NAMES[kind] ?? kind;
}

/** The pictures that can be enlarged, in the order to show. */
export function kindsOf({ pictures }: GalleryEntry): Kind[] {
  return KINDS.filter((kind) => pictures[kind] !== undefined);
}

export class Cards {
  readonly #list: HTMLElement;
  readonly #entries: readonly GalleryEntry[];
  readonly #items: readonly HTMLLIElement[];
  readonly #indices: ReadonlyMap<Element, number>;
  readonly #near = new Set<number>();

  /** @param open called with the index of an entry when one of its tiles is pressed */
  constructor(
    list: HTMLElement,
    entries: readonly GalleryEntry[],
    open: (index: number, kind: Kind) => void,
  ) {
    this.#list = list;
    this.#entries = entries;
    this.#items = entries.map(({ title }) => {
      const heading = make('h2', 'path', ...pathParts(title));
      heading.title = title;
      return make('li', 'card empty', heading);
    });
    this.#indices = new Map(this.#items.map((item, index) => [item, index]));
    const observer = new IntersectionObserver((changes) => this.#approach(changes), {
      rootMargin: '100% 0px',
    });
    for (const item of this.#items) observer.observe(item);
    list.addEventListener('click', ({ target }) => {
      const tile = (target as Element).closest('button');
      const item = tile?.closest('li');
      if (tile && item) open(this.#indices.get(item)!, tile.dataset['kind'] as Kind);
    });
    addEventListener('beforeprint', () => {
      for (const index of this.#items.keys()) {
        if (this.#items[index]!.isConnected) this.#fill(index);
      }
    });
    addEventListener('afterprint', () => {
      for (const index of this.#items.keys()) if (!this.#near.has(index)) this.#empty(index);
    });
    new ResizeObserver(() => this.#estimate()).observe(list);
  }

  /** Shows these entries, in this order. */
  show(indices: readonly number[]): void {
    const items = indices.map((index) => this.#items[index]!);
    const { children } = this.#list;
    // After one more letter of a search the result is often the same.
    if (items.length === children.length && items.every((item, i) => item === children[i])) return;
    for (const index of indices.slice(0, FIRST)) this.#fill(index);
    this.#list.replaceChildren(...items);
  }

  /** Puts the focus on a tile, and scrolls to it. */
  focus(index: number, kind: Kind): void {
    this.#fill(index);
    const tiles = this.#items[index]!.querySelectorAll('button');
    const tile = [...tiles].find(({ dataset }) => dataset['kind'] === kind) ?? tiles[0];
    tile?.focus();
  }

  #approach(changes: readonly IntersectionObserverEntry[]): void {
    for (const { isIntersecting, target } of changes) {
      const index = this.#indices.get(target)!;
      if (isIntersecting) {
        this.#near.add(index);
        this.#fill(index);
      } else {
        this.#near.delete(index);
        this.#empty(index);
      }
    }
  }

  #fill(index: number): void {
    const item = this.#items[index]!;
    if (!item.classList.contains('empty')) return;
    const entry = this.#entries[index]!;
    item.prepend(tilesOf(entry));
    item.append(...classesOf(entry));
    item.classList.remove('empty');
  }

  #empty(index: number): void {
    const item = this.#items[index]!;
    // If the focus is in a card that is scrolled away, the user wants it back.
    if (item.contains(document.activeElement)) return;
    item.replaceChildren(item.querySelector('h2')!);
    item.classList.add('empty');
  }

  /** Gives the style the height of a card, for empty cards. */
  #estimate(): void {
    const filled = this.#list.querySelector('.card:not(.empty)');
    if (!filled) return;
    this.#list.style.setProperty('--card-height', `${filled.getBoundingClientRect().height}px`);
  }
}

/** The folder and the file of a path: if there is little space, the folder is cut first. */
export function pathParts(path: string): HTMLElement[] {
  const end = 1 + Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  const file = make('span', 'file', path.slice(end));
  return end === 0 ? [file] : [make('span', 'folder', path.slice(0, end)), file];
}

function tilesOf(entry: GalleryEntry): HTMLElement {
  const { kinds, width, height } = entry.thumbnails;
  const tiles = make('div', 'tiles', ...kinds.map((_, i) => tileOf(entry, i)));
  tiles.dataset['count'] = String(kinds.length);
  tiles.style.setProperty('--tiles', String(kinds.length));
  tiles.style.setProperty('--ratio', String(width / kinds.length / height));
  return tiles;
}

/** A button if there is a file to enlarge. */
function tileOf({ title, thumbnails, pictures }: GalleryEntry, i: number): HTMLElement {
  const kind = thumbnails.kinds[i]!;
  const name = nameOfKind(kind);
  const strip = make('img', '');
  strip.src = thumbnails.file;
  strip.alt = '';
  strip.style.setProperty('--tile', String(i));
  const inside = [
    make('span', 'box', make('span', 'crop', strip)),
    make('span', 'kind', name),
  ] as const;
  if (pictures[kind as Kind] === undefined) {
    strip.alt = `${name} of ${title}`;
    return make('div', 'tile', ...inside);
  }
  const button = make('button', 'tile', ...inside);
  button.type = 'button';
  button.dataset['kind'] = kind;
  button.ariaLabel = `${name}, ${title}`;
  button.ariaHasPopup = 'dialog';
  return button;
}
