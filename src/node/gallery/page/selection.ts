/** Which pictures are shown, and in which order. Does not use the document. */

import type { GalleryClass, GalleryEntry } from '../gallery-page.js';

export const ORDERS = ['given', 'name', 'class', 'probability-down', 'probability-up'] as const;
export type Order = (typeof ORDERS)[number];

export interface Choice {
  /** Words that must all be in the path or in a class, in any case. */
  readonly query: string;
  /** Index of the most likely class, as text; '' for any. */
  readonly className: string;
  /** Least probability of the most likely class, 0 … 1. */
  readonly least: number;
  readonly order: Order;
}

export const EVERYTHING: Choice = { query: '', className: '', least: 0, order: 'given' };

export interface CountedClass extends GalleryClass {
  /** Number of pictures with this most likely class. */
  readonly count: number;
}

const names = new Intl.Collator('en', { numeric: true });

export class Selection {
  readonly #entries: readonly GalleryEntry[];
  /** The text that the query searches. */
  readonly #texts: readonly string[];
  readonly #orders = new Map<Order, readonly number[]>();

  constructor(entries: readonly GalleryEntry[]) {
    this.#entries = entries;
    this.#texts = entries.map(({ title, top }) =>
      comparable([title, ...top.map(({ label }) => label)].join('\n')),
    );
  }

  /** Most likely classes of all pictures, by name. */
  get classes(): CountedClass[] {
    const counted = new Map<number, CountedClass>();
    for (const { top } of this.#entries) {
      if (top.length === 0) continue;
      const { index, label } = top[0]!;
      counted.set(index, { index, label, count: 1 + (counted.get(index)?.count ?? 0) });
    }
    return [...counted.values()].sort(
      (a, b) => names.compare(a.label, b.label) || a.index - b.index,
    );
  }

  /** Indices of the entries to show, in order. */
  choose({ query, className, least, order }: Choice): number[] {
    const words = comparable(query).split(/\s+/);
    return this.#ordered(order).filter((i) => {
      const best = this.#entries[i]!.top[0];
      return (
        (className === '' || (best !== undefined && String(best.index) === className)) &&
        (least === 0 || (best !== undefined && best.probability >= least)) &&
        words.every((word) => this.#texts[i]!.includes(word))
      );
    });
  }

  #ordered(order: Order): readonly number[] {
    const known = this.#orders.get(order);
    if (known) return known;
    const entries = this.#entries;
    const compare = COMPARISONS[order];
    const ordered = [...entries.keys()].sort((a, b) => compare(entries[a]!, entries[b]!) || a - b);
    this.#orders.set(order, ordered);
    return ordered;
  }
}

type Comparison = (a: GalleryEntry, b: GalleryEntry) => number;

const COMPARISONS: Readonly<Record<Order, Comparison>> = {
  given: () => 0,
  name: (a, b) => names.compare(a.title, b.title),
  class: (a, b) => byClass(a, b) || probabilityOf(b) - probabilityOf(a),
  'probability-down': (a, b) => probabilityOf(b) - probabilityOf(a),
  'probability-up': (a, b) => probabilityOf(a) - probabilityOf(b),
};

function byClass({ top: [a] }: GalleryEntry, { top: [b] }: GalleryEntry): number {
  if (!a || !b) return Number(!a) - Number(!b);
  return names.compare(a.label, b.label) || a.index - b.index;
}

function probabilityOf({ top }: GalleryEntry): number {
  return top[0]?.probability ?? 0;
}

/** Lower case, and one spelling: macOS writes é as two characters. */
function comparable(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

/** A selection as the fragment of an address, '' for everything. */
export function fragmentOf({ query, className, least, order }: Choice): string {
  const parameters = new URLSearchParams();
  if (query !== '') parameters.set('search', query);
  if (className !== '') parameters.set('class', className);
  if (least > 0) parameters.set('least', String(least));
  if (order !== 'given') parameters.set('order', order);
  return String(parameters);
}

/** The reverse. Unknown parts are left out. */
export function choiceOf(fragment: string): Choice {
  const parameters = new URLSearchParams(fragment);
  const least = Number(parameters.get('least') ?? 0);
  return {
    query: parameters.get('search') ?? '',
    className: parameters.get('class') ?? '',
    least: least > 0 && least <= 1 ? least : 0,
    order: ORDERS.find((order) => order === parameters.get('order')) ?? 'given',
  };
}
