/**
 * The contents of a pickle after reading: plain values, tensors, and inert objects in place of objects
 * that Python would have made with a class or a function.
 */

/** Tuples and lists are both arrays, dicts are Maps; objects are inert, or made by a `Builder`. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleObject;

export type PickleMap = Map<PickleValue, PickleValue>;

export interface PickleObject {
  readonly kind: string;
}

/**
 * A global, or the result of calling one: its name and its arguments. Nothing is imported,
 * looked up or run. Values are held by reference, so objects may contain themselves.
 */
export interface Inert extends PickleObject {
  readonly kind: 'inert';
  readonly module: string;
  readonly name: string;
  /** Arguments of the call; a global that was not called has none. */
  readonly args?: readonly PickleValue[];
  /** Attributes, as a dict, or another state of the class. */
  state?: PickleValue;
  /** Items of a list or a set. */
  items?: PickleValue[];
  /** Entries of a dict. */
  entries?: PickleMap;
}

/** Bytes, as a view of the pickle's bytes. */
export interface PickleBytes extends PickleObject {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
}

export function isKind<T extends PickleObject>(
  value: PickleValue | undefined,
  kind: T['kind'],
): value is T & PickleValue {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;
}

export function isInert(value: PickleValue | undefined): value is Inert {
  return isKind<Inert>(value, 'inert');
}

export function inert(module: string, name: string, args?: readonly PickleValue[]): Inert {
  return args ? { kind: 'inert', module, name, args } : { kind: 'inert', module, name };
}

/** Python's name of a global or an object's class. */
export function fullName({ module, name }: Inert): string {
  return `${module}.${name}`;
}

/**
 * The dicts with a value's entries and attributes, the most useful first: a dict itself; for an inert
 * object its entries, its attributes (with slots, `state` is a pair of dicts), and a dict that it
 * was made from, as with a Counter.
 */
export function mapsOf(value: PickleValue | undefined): PickleMap[] {
  if (value instanceof Map) return [value];
  if (!isInert(value)) return [];
  const { entries, state, args = [] } = value;
  const states = Array.isArray(state) && state.length === 2 ? state : [state];
  const held = [entries, ...states, args.length === 1 ? args[0] : undefined];
  return held.filter((map): map is PickleMap => map instanceof Map);
}

/** An entry or attribute. */
export function valueAt(value: PickleValue | undefined, key: string): PickleValue | undefined {
  for (const map of mapsOf(value)) if (map.has(key)) return map.get(key);
  return undefined;
}

/** The items of a list, a tuple, a set or a subclass of theirs. */
export function itemsOf(value: PickleValue | undefined): readonly PickleValue[] | undefined {
  if (Array.isArray(value)) return value;
  if (!isInert(value)) return undefined;
  if (value.items) return value.items;
  const [first] = value.args ?? [];
  return Array.isArray(first) ? first : undefined;
}

const MAX_SHOWN = 100;

/** A name from a file, for a one-line message. */
export function shown(text: string): string {
  const line = text.slice(0, MAX_SHOWN).replace(/[^\P{C}]/gu, '?');
  return text.length > MAX_SHOWN ? `${line}…` : line;
}
