/**
 * Class names, in the kinds of files that people have:
 *
 *   ["tench", …]                        JSON, in index order
 *   {"0": "tench", …}                   JSON or Python, by index; as config.json has it in `id2label`
 *   {"0": ["n01440764", "tench"], …}    imagenet_class_index.json
 *   {"tench": 0, …}                     class_to_idx
 *   index,name                          a table, with or without a header: ./label-table.ts
 *   0 tench · 0: tench · 0,tench        one a line, by index
 *   n01440764 tench, Tinca tinca        one a line, in index order: synset_words.txt
 *   tench                               one a line, in index order
 *
 * A name is kept whole: `tench, Tinca tinca` is one.
 */

import { extname } from 'node:path';
import { FormatError } from '../errors.js';
import { imagenetLabels } from './assets.js';
import { readFileBytes, statFile } from './file-bytes.js';
import { isImagenetModel } from './known-models.js';
import { type IndexedName, looksLikeTable, readTable, WNID } from './label-table.js';
import type { Fail } from './table-rows.js';

/** The name of the package's own ImageNet names. */
const IMAGENET = 'imagenet';
const IMAGENET_CLASSES = 1000;

/** Names of ImageNet's 21,843 classes take 1 MB. */
const MAX_LABELS_BYTES = 2 ** 24;

/** Keys under which configurations and similar files have names. */
const NESTED: readonly string[] = [
  ...['id2label', 'label2id', 'class_to_idx', 'idx_to_class'],
  ...['labels', 'classes', 'label_names'],
];

/**
 * Class names in index order.
 *
 * @param path a file of one of these kinds; `imagenet` for the 1000 names in the package
 * @throws {FormatError} in one line that names the file: for another kind, an index that is missing or
 * appears twice, and more than 16 MiB
 */
export async function readLabels(path: string): Promise<string[]> {
  const fail: Fail = (what) => {
    throw new FormatError(`${path}: ${what}`);
  };
  const text = await readText(path === IMAGENET ? imagenetLabels() : path, fail);
  if (/^\s*[[{]/u.test(text)) return namesIn(parseLiteral(text, fail), fail);
  const isTable = /^\.[ct]sv$/iu.test(extname(path)) || looksLikeTable(text);
  return isTable ? inOrder(await readTable(text, fail), fail) : namesOfLines(text.trim(), fail);
}

export interface LabelsOptions {
  /** As in `openModel`. */
  readonly model: string;
  /** As in `readLabels`. */
  readonly labels?: string;
  /** Names in the weights, or in the files beside them. */
  readonly said?: readonly string[];
  /** Whether something says that the classes are ImageNet's. */
  readonly isImagenet?: boolean;
}

/**
 * The class names of a model, if any are known. In this order: those that are given, its own, those beside it,
 * the package's.
 *
 * @throws {FormatError} if their number is not that of the classes
 */
export async function labelsFor(
  classes: number,
  { model, labels: path, said, isImagenet = isImagenetModel(model) }: LabelsOptions,
): Promise<readonly string[] | undefined> {
  const own = path === undefined ? said : undefined;
  // Not every network with 1000 classes has ImageNet's: the user must say so.
  const usual = classes === IMAGENET_CLASSES && isImagenet ? IMAGENET : undefined;
  const labelsPath = path ?? usual;
  const labels = own ?? (labelsPath === undefined ? undefined : await readLabels(labelsPath));
  if (labels !== undefined && labels.length !== classes) {
    throw new FormatError(
      `${path ?? model}: ${labels.length} class names for a model of ${classes} classes`,
    );
  }
  return labels;
}

/** Without byte order mark and without space at the end. */
async function readText(path: string, fail: Fail): Promise<string> {
  const expected = 'a labels';
  const { size } = await statFile(path, expected);
  const bytes = size > MAX_LABELS_BYTES ? undefined : await readFileBytes(path, expected);
  // The size of a pipe is known only after reading.
  const length = bytes?.length ?? size;
  if (!bytes || length > MAX_LABELS_BYTES) {
    return fail(`${length} bytes are too many for class names, at most ${MAX_LABELS_BYTES}`);
  }
  // Shells of Windows write UTF-16.
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8';
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes).trimEnd();
  } catch {
    return fail('expected class names, is not text in UTF-8');
  }
  if (text.includes('\0')) fail('expected class names, is not text');
  return text || fail('has no class names');
}

/** JSON, or what Python prints. A Python dict becomes pairs, because a key may appear twice. */
function parseLiteral(text: string, fail: Fail): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return parsePython(text.trim()) ?? fail('not valid JSON');
  }
}

/** A whole number or a text, and what follows it; a comma may also be the last character. */
const ITEM =
  /\s*(?:(\d+)|[uU]?'([^'\\]*(?:\\.[^'\\]*)*)'|[uU]?"([^"\\]*(?:\\.[^"\\]*)*)")\s*(:|,\s*[}\]]|[,}\]])/suy;

/** `{0: 'tench, Tinca tinca', …}` or `['tench', …]`; `undefined` for any other text. */
function parsePython(text: string): Pairs | string[] | undefined {
  const [open, close] = text.startsWith('{') ? '{}' : '[]';
  const items: (string | number)[] = [];
  let at = open!.length;
  for (let before = ''; !before.endsWith(close!); ) {
    ITEM.lastIndex = at;
    const [all, number, single, double, behind] = ITEM.exec(text) ?? [];
    const isKey = open === '{' && items.length % 2 === 0;
    if (all === undefined || (behind === ':') !== isKey) return undefined;
    items.push(number === undefined ? unescapeText(single ?? double!) : Number(number));
    at += all.length;
    before = behind!;
  }
  if (at !== text.length) return undefined;
  if (open === '[') return items.map(String);
  return new Pairs(
    items.flatMap((key, i) => (i % 2 === 0 ? [[String(key), items[i + 1]] as const] : [])),
  );
}

/** Python's escapes after a backslash. */
function unescapeText(text: string): string {
  const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };
  return text.replace(
    /\\(?:x([\da-f]{2})|u([\da-f]{4})|(.))/gisu,
    (_, hex2?: string, hex4?: string, other?: string) => {
      const hex = hex2 ?? hex4;
      return hex ? String.fromCharCode(Number.parseInt(hex, 16)) : (escapes[other!] ?? other!);
    },
  );
}

/** The entries of a dict. */
class Pairs {
  readonly entries: readonly (readonly [string, unknown])[];

  constructor(entries: readonly (readonly [string, unknown])[]) {
    this.entries = entries;
  }
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
const isIndex = (text: string): boolean => /^\d{1,9}$/.test(text);

const EXPECTED = 'expected ["name", …], {"0": "name", …} or {"name": 0, …}';

/** Names in a list or a dict, or in one inside it. */
function namesIn(value: unknown, fail: Fail): string[] {
  const pairs = pairsOf(value);
  const inner = NESTED.map((key) => pairs.find(([name]) => name === key)?.[1]);
  const found = inner.find((v) => typeof v === 'object' && v !== null) ?? value;
  if (Array.isArray(found)) return found.map((name) => nameOf(name) ?? fail(EXPECTED));
  return inOrder(indexedIn(pairsOf(found), fail), fail);
}

function pairsOf(value: unknown): Pairs['entries'] {
  return value instanceof Pairs ? value.entries : Object.entries(value as object);
}

/** Names by index, or indices by name. */
function indexedIn(pairs: Pairs['entries'], fail: Fail): IndexedName[] {
  if (pairs.every(([, index]) => isWhole(index))) {
    return pairs.map(([name, index]) => [index as number, name]);
  }
  return pairs.map(([key, name]) => {
    if (isIndex(key)) return [Number(key), nameOf(name) ?? fail(EXPECTED)];
    const keys = pairs.slice(0, 4).map(([k]) => k);
    return fail(`${EXPECTED}; it has ${keys.join(', ')}${pairs.length > 4 ? ', …' : ''}`);
  });
}

/** A text, or the name in `["n01440764", "tench"]`. */
function nameOf(value: unknown): string | undefined {
  const name = Array.isArray(value) && value.length === 2 && isWnid(value[0]) ? value[1] : value;
  return typeof name === 'string' ? name : undefined;
}

function isWnid(value: unknown): boolean {
  return typeof value === 'string' && WNID.test(value);
}

/** A list item as in YAML or in a program. */
const LIST_LINE = /^(?:- +(\S.*)|("[^"]*"|'[^']*'),?)$/u;

/** A WordNet id, an index, and the text after them. */
const SYNSET_LINE = /^n\d{8}[ \t,]+(\S.*)$/u;
const INDEX_LINE = /^(\d{1,9})(?:\s*[:,;\t]\s*|\s+)(\S.*)$/u;

function namesOfLines(text: string, fail: Fail): string[] {
  const lines = text
    .split(/[\r\n]+/u)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const items = lines.map((line) => LIST_LINE.exec(line));
  const bare = items.every((item) => item !== null)
    ? items.map(([, dash, quoted]) => unquoted(dash ?? quoted!))
    : lines;
  const behind = bare.map((line) => SYNSET_LINE.exec(line)?.[1]);
  const rest = behind.every((name) => name !== undefined) ? behind : bare;
  const indexed = rest.map((line) => INDEX_LINE.exec(line));
  if (!indexed.every((match) => match !== null)) return [...rest];
  return inOrder(
    indexed.map(([, index, name]) => [Number(index), unquoted(name!)]),
    (what) => fail(`${what}; if the numbers are part of the names, use a JSON array`),
  );
}

/** Without quotes around the whole text, as in tables. */
function unquoted(name: string): string {
  const inner = /^"([^"]*(?:""[^"]*)*)"$/u.exec(name)?.[1] ?? /^'([^']*)'$/u.exec(name)?.[1];
  return inner === undefined ? name : inner.replaceAll('""', '"');
}

/** Names ordered by index; the indices are 0 … n − 1. */
function inOrder(pairs: readonly IndexedName[], fail: Fail): string[] {
  const names = new Map<number, string>();
  for (const [index, name] of pairs) {
    const other = names.get(index);
    if (other !== undefined) fail(`class ${index} has two names: ${other}, ${name}`);
    names.set(index, name);
  }
  const { size } = names;
  if (size === 0) fail('has no class names');
  return Array.from(
    names.keys(),
    (_, i) => names.get(i) ?? fail(`no name for class ${i}: ${size} names, of 0 … ${size - 1}`),
  );
}
