/**
 * Pictures whose class is known, in one of two forms:
 *
 *   a folder    one folder inside it for each class, with the pictures of the class at any depth
 *   a CSV file  file,label         a row for each picture
 *               file,label,x0,y0,x1,y1
 *                                  with a box of the object in pixels; more rows for more boxes of a picture
 *
 * A class is given by its name or its index. If the folders are not called like classes of the model, but are as many,
 * they are its classes in sorted order: so ImageNet and Tiny ImageNet order theirs, by WordNet id.
 */

import { stat } from 'node:fs/promises';
import { dirname, join, normalize, sep } from 'node:path';
import { FormatError, ShapeError } from '../errors.js';
import { readFileBytes, statFile, systemReason } from './file-bytes.js';
import { findInputs, type Input } from './inputs.js';
import { type Fail, headerWord, parseRows } from './table-rows.js';

/** A box in pixels of the picture; both corners are inside. */
export interface Box {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

export interface LabelledPicture {
  readonly path: string;
  /** As the folder or the table has it, with `/`: the same wherever the data set lies. */
  readonly name: string;
  /** Index of its class. */
  readonly target: number;
  /** Of the object, where they are known. */
  readonly boxes?: readonly Box[];
}

export interface LabelledOptions {
  /** Pictures of each class, at most: the first in order. */
  readonly limit?: number;
  /** Only these classes of the model, by index or name. */
  readonly classes?: readonly (number | string)[];
  /** A CSV file with boxes: file,x0,y0,x1,y1. Files are relative to the pictures' folder, or to the CSV's. */
  readonly boxes?: string;
}

/**
 * Finds the labelled pictures of a folder or a CSV file. All of it is checked, but no picture is read.
 *
 * @param path of the folder or the CSV file
 * @param labels names of the model's classes, in index order
 * @returns in the order of their classes; within a class in the order of their names
 * @throws {FormatError} for a folder or a file that is not as described, with the line
 * @throws {ShapeError} for a limit below 1, or classes that the model does not have
 */
export async function labelledPictures(
  path: string,
  labels: readonly string[],
  options: LabelledOptions = {},
): Promise<LabelledPicture[]> {
  const { limit = Number.POSITIVE_INFINITY, classes, boxes } = options;
  if (!(limit >= 1)) throw new ShapeError(`limit: expected at least 1 picture, got ${limit}`);
  const wanted = classes && new Set(classes.map((one) => classNamed(labels, one)));
  if (wanted?.has(undefined)) {
    const unknown = classes!.find((one) => classNamed(labels, one) === undefined);
    throw new ShapeError(`classes: the model has no class ${unknown}`);
  }
  const isFolder = await stat(path).then(
    (stats) => stats.isDirectory(),
    (error) => {
      throw new FormatError(`${path}: ${systemReason(error)}`, { cause: error });
    },
  );
  const all = isFolder ? await inFolders(path, labels) : await inTable(path, labels);
  const found = firstOfEach(
    all.filter(({ target }) => wanted?.has(target) ?? true),
    limit,
  );
  if (found.length === 0) throw new FormatError(`${path}: no pictures of these classes`);
  if (!isFolder) await Promise.all(found.map((picture) => statFile(picture.path, 'a picture')));
  if (boxes === undefined) return found;
  return withBoxes(found, boxes, isFolder ? path : dirname(path));
}

/**
 * Some of the classes of a model, evenly spread.
 *
 * @throws {ShapeError} if the model has fewer
 */
export function spreadClasses(labels: readonly string[], count: number): number[] {
  if (count > labels.length) {
    throw new ShapeError(`classes: expected at most ${labels.length}, got ${count}`);
  }
  return Array.from({ length: count }, (_, i) => Math.floor((i * labels.length) / count));
}

/** The class of this index or name; a number as text is an index if no class is called so. */
function classNamed(labels: readonly string[], given: number | string): number | undefined {
  const text = String(given).trim().toLowerCase();
  const named = labels.findIndex((label) => label.toLowerCase() === text);
  if (typeof given === 'string' && named >= 0) return named;
  return /^\d+$/.test(text) && Number(text) < labels.length ? Number(text) : undefined;
}

async function inFolders(path: string, labels: readonly string[]): Promise<LabelledPicture[]> {
  const inputs = await findInputs([path]);
  const failure = inputs[0]!.failure;
  if (failure) throw failure;
  const loose = inputs.find(({ name }) => folderOf(name) === undefined);
  if (loose) {
    throw new FormatError(
      `${loose.path}: is in no folder of a class: give a CSV file with file,label instead`,
    );
  }
  const folders = [...new Set(inputs.map(({ name }) => folderOf(name)!))].sort();
  const targets = classesOf(path, folders, labels);
  return inputs.map((input) => ({ ...placed(input), target: targets.get(folderOf(input.name)!)! }));
}

function placed({ path, name }: Input): Pick<LabelledPicture, 'path' | 'name'> {
  return { path, name: name.replaceAll(sep, '/') };
}

/** The first folder of a path. */
function folderOf(name: string): string | undefined {
  const parts = name.split(sep);
  return parts.length > 1 ? parts[0] : undefined;
}

/** The class of each folder. */
function classesOf(
  path: string,
  folders: readonly string[],
  labels: readonly string[],
): ReadonlyMap<string, number> {
  const named = folders.map((folder) => classNamed(labels, folder));
  const unknown = folders.filter((_, i) => named[i] === undefined);
  const isInOrder = unknown.length === folders.length && folders.length === labels.length;
  if (unknown.length > 0 && !isInOrder) {
    throw new FormatError(
      `${join(path, unknown[0]!)}: no class of the model is called ${unknown[0]}, and ${folders.length} folders are ` +
        `not its ${labels.length} classes in sorted order: rename the folders, or give a CSV file with file,label`,
    );
  }
  return new Map(folders.map((folder, i) => [folder, named[i] ?? i]));
}

/** Headers of each column that is used. */
const HEADERS = {
  file: ['file', 'path', 'filename', 'file_name', 'image'],
  label: ['label', 'class', 'name', 'class_name', 'target', 'class_index', 'index'],
  x0: ['x0', 'xmin', 'x_min'],
  y0: ['y0', 'ymin', 'y_min'],
  x1: ['x1', 'xmax', 'x_max'],
  y1: ['y1', 'ymax', 'y_max'],
} as const;
type Column = keyof typeof HEADERS;
const CORNERS = ['x0', 'y0', 'x1', 'y1'] as const;

interface Row {
  readonly line: number;
  readonly file: string;
  readonly label: string | undefined;
  readonly box: Box | undefined;
}

async function inTable(path: string, labels: readonly string[]): Promise<LabelledPicture[]> {
  const fail = failing(path);
  const found = new Map<string, LabelledPicture>();
  for (const { line, file, label, box } of await rowsOf(path, ['file', 'label'])) {
    const target = classNamed(labels, label!);
    if (target === undefined) return fail(`line ${line}: the model has no class ${label}`);
    const before = found.get(file);
    if (before && before.target !== target) {
      fail(`line ${line}: ${file} has another label than in a line before`);
    }
    if (before && !box) fail(`line ${line}: ${file} is there twice`);
    const boxes = [...(before?.boxes ?? []), ...(box ? [box] : [])];
    found.set(file, {
      ...{ path: join(dirname(path), file), name: file, target },
      ...(boxes.length > 0 && { boxes }),
    });
  }
  return [...found.values()];
}

/** Sorted by class and name, with the first `limit` of each class. */
function firstOfEach(pictures: readonly LabelledPicture[], limit: number): LabelledPicture[] {
  const { compare } = new Intl.Collator('en', { numeric: true });
  const taken = new Map<number, number>();
  return [...pictures]
    .sort((a, b) => a.target - b.target || compare(a.name, b.name))
    .filter(({ target }) => {
      const before = taken.get(target) ?? 0;
      taken.set(target, before + 1);
      return before < limit;
    });
}

async function withBoxes(
  pictures: readonly LabelledPicture[],
  path: string,
  folder: string,
): Promise<LabelledPicture[]> {
  const boxes = new Map<string, Box[]>();
  for (const { file, box } of await rowsOf(path, ['file', ...CORNERS])) {
    for (const base of new Set([folder, dirname(path)])) {
      const key = normalize(join(base, file));
      boxes.set(key, [...(boxes.get(key) ?? []), ...(box ? [box] : [])]);
    }
  }
  const found = pictures.map((picture) => {
    const own = boxes.get(normalize(picture.path));
    return own && own.length > 0 ? { ...picture, boxes: own } : picture;
  });
  if (found.some(({ boxes: own }) => own)) return found;
  return failing(path)(`no picture of ${folder} has a box in it`);
}

/** @param needed columns that must be there */
async function rowsOf(path: string, needed: readonly Column[]): Promise<Row[]> {
  const fail = failing(path);
  const bytes = await readFileBytes(path, 'a CSV');
  const [header, ...rows] = await parseRows(new TextDecoder().decode(bytes), fail);
  const words = (header?.cells ?? []).map(headerWord);
  const at = (name: Column): number =>
    words.findIndex((word) => (HEADERS[name] as readonly string[]).includes(word));
  const missing = needed.find((name) => at(name) < 0);
  if (missing !== undefined) {
    fail(`line 1: expected a header ${needed.join(',')}, it has no ${missing}`);
  }
  if (rows.length === 0) fail('has no rows');
  const hasBoxes = CORNERS.every((name) => at(name) >= 0);
  return rows.map(({ line, cells }) => {
    if (cells.length !== words.length) {
      fail(`line ${line}: ${cells.length} cells, expected ${words.length}`);
    }
    const cell = (name: Column): string => cells[at(name)]!.trim();
    const file = cell('file');
    if (file === '') fail(`line ${line}: no file`);
    const label = at('label') < 0 ? undefined : cell('label');
    const corners = hasBoxes ? CORNERS.map(cell) : [];
    const box = corners.every((text) => text === '')
      ? undefined
      : boxOf(corners, (what) => fail(`line ${line}: ${what}`));
    return { line, file, label, box };
  });
}

function boxOf(corners: readonly string[], fail: Fail): Box {
  const [x0, y0, x1, y1] = corners.map((text) => (text === '' ? Number.NaN : Number(text)));
  const box = { x0: x0!, y0: y0!, x1: x1!, y1: y1! };
  // NaN fails every comparison.
  if (!(0 <= box.x0 && box.x0 <= box.x1 && 0 <= box.y0 && box.y0 <= box.y1)) {
    fail(`expected a box 0 ≤ x0 ≤ x1 and 0 ≤ y0 ≤ y1, got ${corners}`);
  }
  return box;
}

function failing(path: string): Fail {
  return (what) => {
    throw new FormatError(`${path}: ${what}`);
  };
}
