/**
 * Class names in a table: CSV with commas or semicolons, or TSV. The header says which column has the names, and
 * which the indices. Without a header, the contents of the columns decide.
 */

import { delimiterOf, type Fail, headerWord, parseRows } from './table-rows.js';

/** A class by its index. */
export type IndexedName = readonly [index: number, name: string];

/** The id of a WordNet synset; ImageNet's classes are synsets. */
export const WNID: RegExp = /^n\d{8}$/u;

/** Headers of index columns, unless the column has ids of another kind. The first is pandas' own. */
const INDEX_HEADERS: readonly string[] = [
  ...['', 'index', 'idx', 'id', 'number'],
  ...['class_id', 'class_index', 'class_idx', 'label_id', 'label_index', 'label_idx'],
];
/** Headers of names, the clearest first. */
const NAME_HEADERS: readonly string[] = [
  ...['name', 'class_name', 'classname', 'label_name', 'display_name'],
  ...['label', 'class', 'category', 'description'],
];
/** Headers of names that may also be indices, if there is another column of names. */
const EITHER_HEADERS: readonly string[] = ['label', 'class', 'category'];

/** Whether the first line is a header of names and indices. */
export function looksLikeTable(text: string): boolean {
  const [line] = text.split(/[\r\n]/u, 1);
  const cells = line!.split(delimiterOf(text)).map(headerWord);
  const names = cells.filter((cell) => NAME_HEADERS.includes(cell));
  const isBoth = names.length > 1 && names.some((cell) => EITHER_HEADERS.includes(cell));
  return names.length > 0 && (isBoth || cells.some((cell) => INDEX_HEADERS.includes(cell)));
}

/**
 * The classes of a table. If no column has indices, the rows are in index order.
 *
 * @param fail called with a row, counted from 1, or with a message about unclear columns
 */
export async function readTable(text: string, fail: Fail): Promise<IndexedName[]> {
  const rows = (await parseRows(text, fail)).map(({ cells }) => cells);
  const words = rows[0]!.map(headerWord);
  const hasHeader = isHeader(words);
  const body = hasHeader ? rows.slice(1) : rows;
  const at = (row: number): string => `row ${row + (hasHeader ? 2 : 1)}`;
  for (const [i, { length }] of body.entries()) {
    if (length === words.length) continue;
    const expected = `row 1 has ${words.length}: put names with commas into quotes`;
    fail(`${at(i)} has ${length} cells, ${expected}`);
  }
  const columns = words.map((_, c) => body.map((row) => row[c]!.trim()));
  const [name, index] = hasHeader ? byHeader(words, columns) : byContent(columns);
  if (name === undefined) {
    return fail('it is not clear which column has the class names: add a header, index,name');
  }
  return body.map((_, i) => {
    if (index === undefined) return [i, columns[name]![i]!];
    const cell = columns[index]![i]!;
    if (!isWhole(cell)) fail(`${at(i)} expected a whole number for the index, got ${cell}`);
    return [Number(cell), columns[name]![i]!];
  });
}

/** If there is one column, with names, `index` would be the first name. */
function isHeader(words: readonly string[]): boolean {
  if (words.some(isWhole)) return false;
  if (words.some((word) => NAME_HEADERS.includes(word))) return true;
  return words.length > 1 && words.some((word) => word !== '' && INDEX_HEADERS.includes(word));
}

type Columns = readonly (readonly string[])[];

/** The columns of names and of indices. */
type Found = [name: number | undefined, index: number | undefined];

function byHeader(words: readonly string[], columns: Columns): Found {
  const all = [...columns.keys()];
  const named = NAME_HEADERS.map((word) => words.indexOf(word)).find((c) => c >= 0);
  const index =
    all.find((c) => INDEX_HEADERS.includes(words[c]!) && columns[c]!.some(isWhole)) ??
    all.find(
      (c) => c !== named && EITHER_HEADERS.includes(words[c]!) && columns[c]!.every(isWhole),
    );
  const others = all.filter((c) => c !== index);
  return [named ?? (others.length === 1 ? others[0] : undefined), index];
}

/** The first column of whole numbers has the indices; the only other column, except ids, has the names. */
function byContent(columns: Columns): Found {
  const all = [...columns.keys()];
  const index = columns.length > 1 ? all.find((c) => columns[c]!.every(isWhole)) : undefined;
  const names = all.filter(
    (c) => c !== index && (columns.length === 1 || !columns[c]!.every((cell) => WNID.test(cell))),
  );
  return [names.length === 1 ? names[0] : undefined, index];
}

function isWhole(cell: string): boolean {
  return /^\d{1,9}$/u.test(cell);
}
