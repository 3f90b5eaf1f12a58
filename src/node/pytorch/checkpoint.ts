/** The contents of a PyTorch checkpoint as sources of tensors, and the choice of the network's. */

import { FormatError, inFile } from '../../errors.js';
import { checkWeights, decodeFloats } from '../../model/formats/dtype.js';
import { gather, isRowMajor, keepLatest } from '../../model/formats/strides.js';
import { sizeOf, type TensorShape, type TensorSource } from '../../model/formats/tensor-source.js';
import { type Dictionary, findDictionaries, joinedDictionaries } from './dictionaries.js';
import type { ScriptCode } from './script-code.js';
import { endOf, type Tensor } from './tensors.js';
import { isInert, type PickleValue, shown } from './values.js';

export interface Checkpoint {
  /** Its name in messages. */
  readonly name: string;
  /**
   * Every dictionary of tensors in the file, by its key: '' (the whole file), `state_dict`, `model.ema`,
   * `0` …, outermost first; at least one.
   */
  readonly dictionaries: ReadonlyMap<string, TensorSource>;
  /** Dictionaries that lie side by side, joined into one, by the key of the value that holds them. */
  readonly joined: ReadonlyMap<string, TensorSource>;
}

/** The tensors of a dictionary, and its place in the file. */
export interface ChosenDictionary extends TensorSource {
  readonly path: string;
}

/** The name of the whole file in `key`s and messages. */
const ROOT = '.';

/** How many are named in a message. */
const MAX_NAMED = 10;

/**
 * The dictionaries in the value of a pickle.
 *
 * @param code of a TorchScript program
 * @throws {FormatError} naming the file, if there is no dictionary
 */
export function checkpointOf(value: PickleValue, name: string, code?: ScriptCode): Checkpoint {
  if (isInert(value) && value.module.startsWith('fastai.') && value.name === 'Learner') {
    throw new FormatError(
      `${name}: fast.ai's export.pkl, a whole learner; save its weights: learn.save('name'), or torch.save(learn.model.state_dict(), …)`,
    );
  }
  const found = inFile(name, () => findDictionaries(value, code));
  if (found.size === 0) {
    throw new FormatError(
      code
        ? `${name}: a TorchScript program without its own weights, probably frozen; save the model before torch.jit.freeze`
        : `${name}: no state dict: save one, torch.save(model.state_dict(), …)`,
    );
  }
  const sources = (those: ReadonlyMap<string, Dictionary>) =>
    new Map([...those].map(([path, dictionary]) => [path, sourceOf(dictionary, name)]));
  return { name, dictionaries: sources(found), joined: sources(joinedDictionaries(found)) };
}

function sourceOf(dictionary: Dictionary, name: string): TensorSource {
  const infos = new Map<string, TensorShape>();
  for (const [key, { storage, shape }] of dictionary.tensors) {
    infos.set(key, { dtype: storage.type.dtype, shape });
  }
  const find = (tensor: string): Tensor => {
    const found = dictionary.tensors.get(tensor);
    if (!found) throw new FormatError(`${name}: tensor ${tensor} is missing`);
    return found;
  };
  const decode = (out: Float32Array, { storage }: Tensor, at: number): void => {
    const { bytes, type } = storage;
    const begin = (storage.begin + at) * type.bytes;
    decodeFloats(out, bytes.read(begin, begin + out.length * type.bytes), type.dtype);
  };
  // The bytes between a tensor's first and last element: a window may need any of them.
  const span = keepLatest((tensor: string) => {
    const strided = find(tensor);
    const x = new Float32Array(endOf(strided) - strided.offset);
    decode(x, strided, strided.offset);
    return x;
  });
  let metadata: ReadonlyMap<string, string> | undefined;
  return {
    name,
    tensors: infos,
    warnings: dictionary.warnings,
    get metadata() {
      metadata ??= dictionary.metadata();
      return metadata;
    },
    readInto(out, tensor, begin) {
      const strided = find(tensor);
      const { shape, strides, offset, storage } = strided;
      checkWeights(name, tensor, storage.type.dtype);
      if (begin + out.length > sizeOf(shape)) {
        throw new FormatError(
          `${name}: tensor ${tensor} [${shape}] has no elements ${begin}…${begin + out.length}`,
        );
      }
      if (isRowMajor(strided)) decode(out, strided, offset + begin);
      else gather(out, span(tensor), { shape, strides, offset: 0 }, begin);
    },
  };
}

/**
 * The dictionary with the most tensors that `fitting` counts; of equals the first. If none fits, the one
 * with the most tensors, and the error then names what is missing. Its warnings name others that fit as well.
 *
 * @param fitting how many of a dictionary's tensors the network would use
 * @param key selects a dictionary; `.` or '' is the whole file
 * @throws {FormatError} for an unknown key, naming the known ones
 */
export function chooseDictionary(
  { name, dictionaries, joined }: Checkpoint,
  fitting: (source: TensorSource) => number,
  key?: string,
): ChosenDictionary {
  if (key !== undefined) {
    const path = key === ROOT ? '' : key;
    const chosen = dictionaries.get(path) ?? joined.get(path);
    if (chosen) return { ...chosen, path };
    throw new FormatError(
      `${name}: no state dict is called ${shown(key)}; there are ${namesOf([...dictionaries.keys()])}`,
    );
  }
  const [single] = dictionaries;
  // There is no choice to make, and recognising a network takes some milliseconds.
  if (single && dictionaries.size === 1) return { ...single[1], path: single[0] };
  const fits = new Map<string, number>();
  for (const [path, source] of dictionaries) fits.set(path, fitting(source));
  let most = Math.max(...fits.values());
  // A backbone and its classifier side by side may together be the network.
  for (const [path, whole] of joined) if (fitting(whole) > most) return { ...whole, path };
  if (!(most > 0)) {
    for (const [path, { tensors }] of dictionaries) fits.set(path, tensors.size);
    most = Math.max(...fits.values());
  }
  const [first, ...others] = [...fits].filter(([, n]) => n === most).map(([path]) => path);
  const chosen = { ...dictionaries.get(first!)!, path: first! };
  if (others.length === 0) return chosen;
  const warning = `read ${namesOf([first!])}; the file also has ${namesOf(others)}; to read another: fastcam --state-dict`;
  return { ...chosen, warnings: [...(chosen.warnings ?? []), warning] };
}

function namesOf(paths: readonly string[]): string {
  const named = paths.slice(0, MAX_NAMED).map((path) => (path === '' ? ROOT : shown(path)));
  const more = paths.length - named.length;
  return named.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
