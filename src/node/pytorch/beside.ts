/**
 * Facts that training scripts save beside the weights, as the metadata of a source: `labels`, `architecture` and
 * `config`, each as JSON text. They are only hints, because scripts use these names freely. Only text and numbers
 * are used.
 */

import { isInert, itemsOf, mapsOf, type PickleMap, type PickleValue, valueAt } from './values.js';

/** Keys of scripts' options, and OpenMMLab's key of its classes. */
const NEAR: readonly string[] = [
  ...['args', 'hyper_parameters', 'hparams', 'config', 'cfg', 'opt', 'opts', 'options'],
  ...['model_config', 'meta', 'dataset_meta'],
];

/** Keys of class names: name → index, index → name, or a list. */
const LABELS: readonly string[] = [
  ...['class_to_idx', 'idx_to_class', 'id2label', 'label2id'],
  ...['classes', 'class_names', 'CLASSES', 'categories', 'labels'],
];

const ARCHITECTURE: readonly string[] = [
  ...['arch', 'architecture', 'model_name', 'backbone', 'model'],
];

const CONFIG: readonly string[] = ['config', 'model_config'];
const CONFIG_KEYS: readonly string[] = [
  ...['model_type', 'hidden_act', 'architectures', 'pretrained_cfg', 'architecture'],
];

/** ImageNet-21k has 21,843 classes. */
const MAX_LABELS = 50_000;
/** Characters of all labels, and of a config. */
const MAX_TEXT = 2 ** 20;
const MAX_NAME = 100;
const MAX_CONFIG_VALUES = 10_000;
const MAX_CONFIG_DEPTH = 6;

/**
 * @param surroundings values that may hold it, the nearest last; the first with an answer is used
 * @param rows first dimensions of the weights: a classifier has one row per class
 */
export function metadataBeside(
  surroundings: readonly PickleValue[],
  rows: ReadonlySet<number>,
): Map<string, string> {
  const places = [...surroundings, ...surroundings.flatMap(near)];
  const metadata = new Map<string, string>();
  const labels = first(places, LABELS, (value) => {
    const names = namesOf(value);
    // Two names may belong to one logit.
    const isFit = names && (rows.has(names.length) || (names.length === 2 && rows.has(1)));
    return isFit ? names : undefined;
  });
  if (labels) metadata.set('labels', JSON.stringify(labels));
  const name = first(places, ARCHITECTURE, (value) =>
    typeof value === 'string' && value !== '' && value.length <= MAX_NAME ? value : undefined,
  );
  if (name) metadata.set('architecture', JSON.stringify({ name }));
  const config = first(places, CONFIG, configOf);
  if (config) metadata.set('config', config);
  return metadata;
}

/** The options in a value, and the options inside them. */
function near(value: PickleValue): PickleValue[] {
  const at = (holder: PickleValue): PickleValue[] =>
    NEAR.flatMap((key) => {
      const found = valueAt(holder, key);
      return mapsOf(found).length > 0 ? [found!] : [];
    });
  const inner = at(value);
  return [...inner, ...inner.flatMap(at)];
}

function first<T>(
  places: readonly PickleValue[],
  keys: readonly string[],
  read: (value: PickleValue) => T | undefined,
): T | undefined {
  for (const place of places) {
    for (const key of keys) {
      const value = valueAt(place, key);
      const found = value === undefined ? undefined : read(value);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The names of classes in the order of their indices. */
function namesOf(value: PickleValue): readonly string[] | undefined {
  const [map] = mapsOf(value);
  const names = map ? namesInOrder(map) : listOf(value);
  if (!names || names.length === 0 || names.length > MAX_LABELS) return undefined;
  let length = 0;
  for (const name of names) {
    if (typeof name !== 'string') return undefined;
    length += name.length;
  }
  return length <= MAX_TEXT ? (names as readonly string[]) : undefined;
}

/** A list's items; a set has no order. */
function listOf(value: PickleValue): readonly PickleValue[] | undefined {
  return isInert(value) && /set$/i.test(value.name) ? undefined : itemsOf(value);
}

/** For name → index or index → name; the indices must be 0 … n − 1, each once. */
function namesInOrder(map: PickleMap): PickleValue[] | undefined {
  if (map.size > MAX_LABELS) return undefined;
  const names = new Array<PickleValue>(map.size);
  const seen = new Set<number>();
  for (const [key, value] of map) {
    const [index, name] = typeof value === 'string' ? [key, value] : [value, key];
    const i = typeof index === 'string' && /^\d{1,6}$/.test(index) ? Number(index) : index;
    if (typeof i !== 'number' || !Number.isInteger(i) || i < 0 || i >= map.size) return undefined;
    names[i] = name;
    seen.add(i);
  }
  return seen.size === map.size ? names : undefined;
}

/** A dict of plain values that configures a network, as JSON. */
function configOf(value: PickleValue): string | undefined {
  if (!CONFIG_KEYS.some((key) => valueAt(value, key) !== undefined)) return undefined;
  const json = JSON.stringify(plain(value, { values: MAX_CONFIG_VALUES, text: MAX_TEXT }, 0));
  return json.startsWith('{') ? json : undefined;
}

/** The value as JSON; null for values that JSON does not have, and where there is too much. */
function plain(value: PickleValue, left: { values: number; text: number }, depth: number): unknown {
  if (depth > MAX_CONFIG_DEPTH || --left.values < 0) return null;
  if (typeof value === 'string') {
    left.text -= value.length;
    return left.text < 0 ? null : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) {
      if (left.values <= 0) break;
      items.push(plain(item, left, depth + 1));
    }
    return items;
  }
  const [map] = mapsOf(value);
  if (!map) return null;
  const entries: [string, unknown][] = [];
  for (const [key, entry] of map) {
    if (left.values <= 0) break;
    left.values--;
    if (typeof key === 'string' && key.length <= MAX_NAME) {
      entries.push([key, plain(entry, left, depth + 1)]);
    }
  }
  return Object.fromEntries(entries);
}
