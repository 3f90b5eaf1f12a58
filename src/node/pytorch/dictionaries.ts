/**
 * The dictionaries of tensors in the value of a pickle: dicts and their subclasses, attributes of objects,
 * whole modules. Each has a key: `state_dict`, `model.ema`, `0` in a list, '' for the whole.
 */

import { FormatError } from '../../errors.js';
import { sizeOf } from '../../model/formats/tensor-source.js';
import { tensorOfArray } from './arrays.js';
import { metadataBeside } from './beside.js';
import { moduleFacts, type NetworkFacts, networkFacts } from './module-facts.js';
import { flatten, isModule, isScriptModule } from './modules.js';
import type { ScriptCode } from './script-code.js';
import { isTensor, type StorageBytes, type Tensor } from './tensors.js';
import { type Inert, itemsOf, mapsOf, type PickleValue } from './values.js';

export interface Dictionary {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly warnings: readonly string[];
  /** JSON texts about the modules, and facts beside the weights. Made on demand. */
  metadata(): Map<string, string>;
}

/** Only optimizers have more, and they come after what they optimise. */
const MAX_DICTIONARIES = 64;
/** Longest path of keys and indices. */
const MAX_DEPTH = 6;
/** Most entries and items to look at, in all. */
const MAX_LOOKED_AT = 2 ** 22;
/** Characters of a key. */
const MAX_KEY = 1000;

/**
 * Tensors may share storages, but a small file must not claim a large network: the tensors of a dictionary
 * have at most this many times the bytes of its storages.
 */
const MAX_SHARING = 4;

/** A value on the path. */
interface Place {
  readonly path: string;
  readonly depth: number;
  readonly value: PickleValue;
  /** The value that holds it. */
  readonly parent: PickleValue | undefined;
}

/**
 * The dictionaries of a value, outermost first.
 *
 * @param code of a TorchScript program
 * @throws {FormatError} if the tensors of each claim more bytes than there are, or modules cannot be read
 */
export function findDictionaries(
  root: PickleValue,
  code: ScriptCode | undefined,
): Map<string, Dictionary> {
  const found = new Map<string, Dictionary>();
  const claims: FormatError[] = [];
  const queue: Place[] = [{ path: '', depth: 0, value: root, parent: undefined }];
  const seen = new Set<PickleValue>([root]);
  let left = MAX_LOOKED_AT;
  for (let n = 0; n < queue.length && found.size < MAX_DICTIONARIES && left > 0; n++) {
    const place = queue[n]!;
    const { value, depth, path } = place;
    left -= mapsOf(value).reduce((sum, { size }) => sum + size, itemsOf(value)?.length ?? 0);
    const dictionary = left > 0 ? dictionaryOf(place, root, code) : undefined;
    const claim = dictionary && excessOf(dictionary.tensors);
    if (claim) claims.push(claim);
    else if (dictionary && !found.has(path)) found.set(path, dictionary);
    if (left < 0 || depth === MAX_DEPTH || isNetwork(value, code)) continue;
    for (const [key, inner] of innerValues(value)) {
      if (seen.has(inner)) continue;
      seen.add(inner);
      const inside = path === '' ? key : `${path}.${key}`;
      queue.push({ path: inside, depth: depth + 1, value: inner, parent: value });
    }
  }
  if (found.size === 0 && claims[0]) throw claims[0];
  return found;
}

function isNetwork(value: PickleValue, code: ScriptCode | undefined): value is Inert {
  return isModule(value) || (code !== undefined && isScriptModule(value));
}

/** The most dictionaries side by side that may be parts of one network. */
const MAX_PARTS = 8;

/**
 * Dictionaries that lie side by side, as one: `{ 'backbone': …, 'classifier': … }`.
 *
 * @returns by the key of the value that holds them
 */
export function joinedDictionaries(
  found: ReadonlyMap<string, Dictionary>,
): Map<string, Dictionary> {
  const sides = new Map<string, (readonly [key: string, dictionary: Dictionary])[]>();
  for (const [path, dictionary] of found) {
    if (path === '') continue;
    const dot = path.lastIndexOf('.');
    const holder = path.slice(0, Math.max(dot, 0));
    sides.set(holder, [...(sides.get(holder) ?? []), [path.slice(dot + 1), dictionary]]);
  }
  const joined = new Map<string, Dictionary>();
  for (const [holder, parts] of sides) {
    if (parts.length < 2 || parts.length > MAX_PARTS) continue;
    const tensors = parts.flatMap(([key, dictionary]) =>
      [...dictionary.tensors].map(([name, tensor]) => [`${key}.${name}`, tensor] as const),
    );
    const warnings = parts.flatMap(([, dictionary]) => dictionary.warnings);
    const metadata = () => parts[0]![1].metadata();
    const dictionary = { tensors: new Map(tensors), warnings, metadata };
    if (!excessOf(dictionary.tensors)) joined.set(holder, dictionary);
  }
  return joined;
}

/** The values that may be, or hold, dictionaries: entries and attributes under text keys, and items. */
function* innerValues(value: PickleValue): Generator<readonly [string, PickleValue]> {
  const isHolder = (v: PickleValue): boolean => typeof v === 'object' && v !== null && !isTensor(v);
  for (const map of mapsOf(value)) {
    for (const [key, inner] of map) {
      if (typeof key === 'string' && key.length <= MAX_KEY && isHolder(inner)) yield [key, inner];
    }
  }
  for (const [i, inner] of (itemsOf(value) ?? []).entries()) {
    if (isHolder(inner)) yield [`${i}`, inner];
  }
}

/** The tensors of a network, or those directly inside a dict or an object. */
function dictionaryOf(
  { value, parent }: Place,
  root: PickleValue,
  code: ScriptCode | undefined,
): Dictionary | undefined {
  const network = isNetwork(value, code) ? flatten(value) : undefined;
  const tensors = network?.tensors ?? tensorsIn(value);
  if (tensors.size === 0) return undefined;
  const facts =
    network &&
    networkFacts(network.modules, (module) => code?.factsOf(module) ?? moduleFacts(module));
  const surroundings = new Set([root, parent ?? root, ...(network ? [value] : [])]);
  const metadata = (): Map<string, string> => {
    const rows = new Set([...tensors.values()].flatMap(({ shape }) => shape.slice(0, 1)));
    return withFacts(metadataBeside([...surroundings], rows), facts);
  };
  return { tensors, warnings: facts?.warnings ?? [], metadata };
}

function tensorsIn(value: PickleValue): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const map of mapsOf(value)) {
    for (const [key, entry] of map) {
      if (typeof key !== 'string') continue;
      const tensor = isTensor(entry) ? entry : tensorOfArray(entry);
      if (tensor) tensors.set(key, tensor);
    }
  }
  return tensors;
}

function withFacts(
  metadata: Map<string, string>,
  facts: NetworkFacts | undefined,
): Map<string, string> {
  if (facts && facts.layers.size > 0) {
    metadata.set('layers', JSON.stringify(Object.fromEntries(facts.layers)));
  }
  if (facts?.activation !== undefined) {
    const said = JSON.parse(metadata.get('architecture') ?? '{}');
    const architecture = { ...said, activationFunction: facts.activation };
    metadata.set('architecture', JSON.stringify(architecture));
  }
  return metadata;
}

/** The error for tensors that claim far more bytes than their storages hold. */
function excessOf(tensors: ReadonlyMap<string, Tensor>): FormatError | undefined {
  const storages = new Set<StorageBytes>();
  let claimed = 0;
  for (const { storage, shape } of tensors.values()) {
    storages.add(storage.bytes);
    claimed += sizeOf(shape) * storage.type.bytes;
  }
  const held = [...storages].reduce((sum, { length }) => sum + length, 0);
  if (claimed <= MAX_SHARING * held) return undefined;
  return new FormatError(
    `tensors of ${claimed} bytes share storages of ${held}: at most ${MAX_SHARING} times as many bytes are read`,
  );
}
