/** The most likely classes of a picture, with bars. */

import type { GalleryEntry } from '../gallery-page.js';
import { make } from './elements.js';

/** Empty without a classifier. The class of the maps is marked, unless it is the most likely. */
export function classesOf({ top, target }: GalleryEntry): HTMLElement[] {
  if (top.length === 0) return [];
  const marked = target && target.index !== top[0]!.index ? target : undefined;
  const rows = top.map(({ index, label, probability }) => {
    const name = make('span', 'label', label);
    name.title = label;
    if (index === marked?.index) name.append(' ', make('span', 'mark', 'explained'));
    const bar = make('span', 'bar');
    const share = percent(probability);
    bar.style.setProperty('--share', share.replace(' ', ''));
    return make('li', '', name, bar, make('span', 'value', share));
  });
  const list = make('ol', 'classes', ...rows);
  if (!marked || top.some(({ index }) => index === marked.index)) return [list];
  return [list, make('p', 'quiet', 'Explained: ', marked.label)];
}

function percent(probability: number): string {
  return `${(100 * probability).toFixed(1)} %`;
}
