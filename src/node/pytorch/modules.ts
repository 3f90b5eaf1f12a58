/**
 * Whole modules, as `torch.save(model)` pickles them: each holds its parameters, buffers and submodules in
 * dicts among its attributes. The modules of a TorchScript program hold them as plain attributes. Both give
 * a state dict: the tensors by their paths.
 *
 * Source: torch/nn/modules/module.py (`state_dict`).
 */

import { FormatError } from '../../errors.js';
import { isTensor, type Tensor } from './tensors.js';
import { type Inert, isInert, itemsOf, mapsOf, type PickleValue, valueAt } from './values.js';

/** Most modules of a network; one that is used twice counts twice. A ResNet-152 has 500. */
const MAX_MODULES = 20_000;
/** Most tensors of all modules. */
const MAX_TENSORS = 100_000;
/** Deepest nesting of modules. */
const MAX_DEPTH = 32;
/** Characters. */
const MAX_PATH = 1000;
/** Most entries of dicts to look at. */
const MAX_ENTRIES = 2 ** 20;

/** A module and its path. */
export interface PlacedModule {
  readonly path: string;
  readonly object: Inert;
  /** It has no modules. */
  readonly isLeaf: boolean;
  /** It has neither tensors nor modules. */
  readonly isBare: boolean;
}

export interface FlatModule {
  readonly tensors: Map<string, Tensor>;
  readonly modules: readonly PlacedModule[];
}

interface Parts {
  readonly tensors: readonly (readonly [string, Tensor])[];
  readonly modules: readonly (readonly [string, Inert])[];
}

/** Whether a value is a pickled `nn.Module`. */
export function isModule(value: PickleValue | undefined): value is Inert {
  return (
    isInert(value) &&
    valueAt(value.state, '_modules') instanceof Map &&
    valueAt(value.state, '_parameters') instanceof Map
  );
}

/** Whether a value is an object of a TorchScript program. */
export function isScriptModule(value: PickleValue | undefined): value is Inert {
  return isInert(value) && value.module.startsWith('__torch__') && value.state instanceof Map;
}

/**
 * The tensors and modules inside a module, in its own order, each under its path.
 *
 * @throws {FormatError} for too many or too deep modules, such as a module that contains itself
 */
export function flatten(root: Inert): FlatModule {
  const tensors = new Map<string, Tensor>();
  const modules: PlacedModule[] = [];
  let left = MAX_ENTRIES;
  const spend = (entries: number): void => {
    left -= entries;
    if (left < 0) throw new FormatError('modules with too many attributes');
  };
  const visit = (object: Inert, path: string, depth: number): void => {
    if (depth > MAX_DEPTH || path.length > MAX_PATH) {
      throw new FormatError('modules nested too deeply');
    }
    const parts = isModule(object) ? partsOf(object, spend) : scriptPartsOf(object, spend);
    const isLeaf = parts.modules.length === 0;
    modules.push({ path, object, isLeaf, isBare: isLeaf && parts.tensors.length === 0 });
    if (modules.length > MAX_MODULES) throw new FormatError(`more than ${MAX_MODULES} modules`);
    const below = path === '' ? '' : `${path}.`;
    for (const [name, tensor] of parts.tensors) tensors.set(below + name, tensor);
    if (tensors.size > MAX_TENSORS) throw new FormatError(`more than ${MAX_TENSORS} tensors`);
    for (const [name, module] of parts.modules) visit(module, below + name, depth + 1);
  };
  visit(root, '', 0);
  return { tensors, modules };
}

type Spend = (entries: number) => void;

function partsOf({ state }: Inert, spend: Spend): Parts {
  const buffers = entriesOf(valueAt(state, '_buffers'), isTensor, spend);
  const left = itemsOf(valueAt(state, '_non_persistent_buffers_set')) ?? [];
  spend(left.length * buffers.length);
  return {
    tensors: [
      ...entriesOf(valueAt(state, '_parameters'), isTensor, spend),
      ...buffers.filter(([name]) => !left.includes(name)),
    ],
    modules: entriesOf(valueAt(state, '_modules'), isModule, spend),
  };
}

function scriptPartsOf({ state }: Inert, spend: Spend): Parts {
  return {
    tensors: entriesOf(state, isTensor, spend),
    modules: entriesOf(state, isScriptModule, spend),
  };
}

/** The entries of a kind under text keys. */
function entriesOf<T extends PickleValue>(
  value: PickleValue | undefined,
  is: (value: PickleValue | undefined) => value is T,
  spend: Spend,
): (readonly [string, T])[] {
  const found: (readonly [string, T])[] = [];
  for (const map of mapsOf(value)) {
    spend(map.size);
    for (const [key, entry] of map) {
      if (typeof key === 'string' && key.length <= MAX_PATH && is(entry)) found.push([key, entry]);
    }
  }
  return found;
}
