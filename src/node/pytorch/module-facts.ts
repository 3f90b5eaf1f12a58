/** Facts of whole modules that their tensors do not show: strides, activations, other layers. */

import { FormatError } from '../../errors.js';
import type { LayerFacts } from '../../model/formats/metadata.js';
import type { PlacedModule } from './modules.js';
import { fullName, type Inert, itemsOf, type PickleValue, shown, valueAt } from './values.js';

export interface ModuleFacts {
  readonly layer?: LayerFacts;
  /** The name of an activation function, with its parameter after a colon if that is not the usual one. */
  readonly activation?: string;
}

/** The facts of a network of modules. */
export interface NetworkFacts {
  readonly layers: ReadonlyMap<string, LayerFacts>;
  /** The activation that all or most layers use. */
  readonly activation: string | undefined;
  readonly warnings: readonly string[];
}

/** Classes of activations by their names, in lower case without underscores. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  relu: 'relu',
  relu6: 'relu6',
  leakyrelu: 'leaky_relu',
  prelu: 'prelu',
  rrelu: 'rrelu',
  elu: 'elu',
  celu: 'celu',
  selu: 'selu',
  gelu: 'gelu',
  silu: 'silu',
  swish: 'silu',
  swishme: 'silu',
  memoryefficientswish: 'silu',
  mish: 'mish',
  mishme: 'mish',
  hardswish: 'hardswish',
  hardswishme: 'hardswish',
  hswish: 'hardswish',
  tanh: 'tanh',
  softplus: 'softplus',
};

/** Functions of gates and outputs; between two layers of a classifier they are the activation after the first. */
const GATES: Readonly<Record<string, string>> = { Sigmoid: 'sigmoid', Hardsigmoid: 'hardsigmoid' };

/** In these places activations are a network's gates and outputs, not the ones between its layers. */
const ASIDE = /(?:^|\.)(?:se|gate|attn|head|classifier|fc)(?:\.|$)/;

/** Norms without parameters: they have no tensors that would show them. */
const NORM = /^(?:Lazy)?(?:Instance|Layer|Group|Batch|SyncBatch|LocalResponse)Norm/;

/** Pools of all pixels that are not the mean. */
const LARGEST = /^(?:Fast)?Adaptive(?:Max|AvgMax|CatAvgMax)Pool/;

/** Classes that do nothing at inference, or that every network has. */
const STANDARD =
  /^(?:Identity|.*Dropout.*|DropPath|DropBlock.*|StochasticDepth|.*Pool.*|.*Flatten|Lambda.*|Sequential|Module(?:List|Dict)?|.*Sigmoid|.*Softmax.*|.*Loss)$/i;

const BLUR = /blur|antialias/i;

/** Convolutions that compute their weights at each pass: weight standardisation and similar. */
const STANDARDISED = /^(?:Scaled)?(?:Std|WS|WeightStandard\w*)Conv/i;

/** How many modules a warning names. */
const MAX_NAMED = 3;
/** How many classes get a warning. */
const MAX_CLASSES = 8;

/**
 * @param factsOf the facts of one module alone
 * @throws {FormatError} for a network with blur pools: its weights do not show where
 */
export function networkFacts(
  modules: readonly PlacedModule[],
  factsOf: (module: PlacedModule) => ModuleFacts,
): NetworkFacts {
  const layers = new Map<string, LayerFacts>();
  const activations = new Map<string, number>();
  const unknown = new Map<string, string[]>();
  const classes = new Map(modules.map(({ path, object }) => [path, object.name]));
  for (const module of modules) {
    const { path, object, isBare } = module;
    const holder = classes.get(path.slice(0, Math.max(path.lastIndexOf('.'), 0))) ?? '';
    refuseModule(module, holder);
    refuseConvolution(module);
    const { layer, activation } = factsOf(module);
    const told = activation ?? (Object.hasOwn(GATES, object.name) ? GATES[object.name] : undefined);
    const own = isBare && told ? { ...layer, activation: told } : layer;
    if (own) layers.set(path, own);
    // An unexpected module in the place of another layer is named, too.
    else if (object.name === 'Identity') layers.set(path, {});
    if (activation && !ASIDE.test(path)) {
      activations.set(activation, (activations.get(activation) ?? 0) + 1);
    }
    const isKnown = STANDARD.test(object.name) || kindOf(object.name) !== undefined;
    if (isBare && path !== '' && !isKnown) {
      const name = fullName(object);
      unknown.set(name, [...(unknown.get(name) ?? []).slice(0, MAX_NAMED), path]);
    }
  }
  const warnings = [...unknown].slice(0, MAX_CLASSES).map(([name, paths]) => {
    const more = paths.length > MAX_NAMED ? ' and more' : '';
    const named = paths.slice(0, MAX_NAMED).map(shown).join(', ');
    return `${named}${more} (${shown(name)}) is assumed to do nothing`;
  });
  if (activations.size > 1) {
    warnings.push(`activations of several kinds: ${[...activations.keys()].map(shown).join(', ')}`);
  }
  const most = Math.max(...activations.values());
  const [activation] = [...activations].find(([, count]) => count === most) ?? [];
  return { layers, activation, warnings };
}

/**
 * @param holder the class of the module that has it
 * @throws {FormatError} for a module that no weight shows, and that cannot be computed
 */
function refuseModule({ path, object, isBare }: PlacedModule, holder: string): void {
  const { module, name } = object;
  const fail = (what: string): never => {
    throw new FormatError(`module ${shown(path)} is a ${shown(name)}: ${what}`);
  };
  if (BLUR.test(name)) fail('blur pools are not supported');
  if (isBare && NORM.test(name))
    fail("normalization by each picture's own statistics is not supported");
  // fast.ai's two pools side by side are supported.
  if (LARGEST.test(name) && !/concat/i.test(holder)) {
    fail('only the mean of all pixels is supported');
  }
  const isActivation = isBare && /^torch\.nn\.modules\.activation$/.test(module);
  const isKnown = STANDARD.test(name) || kindOf(name) !== undefined;
  if (isActivation && !isKnown && !ASIDE.test(path)) fail('not supported');
}

/** @throws {FormatError} for a convolution that its weight does not show, and that cannot be computed */
function refuseConvolution({ path, object }: PlacedModule): void {
  const mode = valueAt(object.state, 'padding_mode');
  if (typeof mode === 'string' && mode !== 'zeros') {
    throw new FormatError(
      `module ${shown(path)} pads with ${shown(mode)}: only zeros are supported`,
    );
  }
  if (STANDARDISED.test(object.name)) {
    throw new FormatError(
      `module ${shown(path)} is a ${shown(object.name)}, which standardises its weights: not supported`,
    );
  }
}

/** The facts of a pickled module, from its class and attributes. */
export function moduleFacts({ object }: PlacedModule): ModuleFacts {
  const activation = activationOf(object);
  const layer = layerOf(object);
  return { ...(layer && { layer }), ...(activation && { activation }) };
}

function layerOf(object: Inert): LayerFacts | undefined {
  const { name, state } = object;
  const at = (key: string): readonly [number, number] | undefined => pairOf(valueAt(state, key));
  if (/Conv/.test(name) && at('stride')) {
    // A class `…Same` pads by the size of its input; its attribute is ignored.
    const padding = /Same/.test(name) ? undefined : at('padding');
    const dilation = at('dilation');
    return { stride: at('stride')!, ...(padding && { padding }), ...(dilation && { dilation }) };
  }
  const kernel = /^(?:Max|Avg)Pool2d/.test(name) ? at('kernel_size') : undefined;
  if (kernel) {
    const isCeil = valueAt(state, 'ceil_mode') === true;
    return {
      pool: name.startsWith('Max') ? 'max' : 'mean',
      kernel,
      stride: at('stride') ?? kernel,
      padding: at('padding') ?? [0, 0],
      ...(isCeil && { ceilMode: true as const }),
    };
  }
  const eps = valueAt(state, 'eps');
  const isNorm = valueAt(valueAt(state, '_buffers'), 'running_mean') !== undefined;
  return isNorm && typeof eps === 'number' && eps > 0 ? { eps } : undefined;
}

/** The numbers of a window, one for both directions or two; `valid` means no padding. */
function pairOf(value: PickleValue | undefined): readonly [number, number] | undefined {
  if (value === 'valid') return [0, 0];
  const [y, x] = typeof value === 'number' ? [value, value] : (itemsOf(value) ?? []);
  const isExtent = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  return isExtent(y) && isExtent(x) ? [y, x] : undefined;
}

/** The activation for the name of a class. */
function kindOf(name: string): string | undefined {
  const key = name.toLowerCase().replaceAll('_', '');
  return Object.hasOwn(ACTIVATIONS, key) ? ACTIVATIONS[key] : undefined;
}

function activationOf({ name, state }: Inert): string | undefined {
  const kind = kindOf(name);
  switch (kind) {
    case 'leaky_relu':
      return withSlope(kind, valueAt(state, 'negative_slope'), 0.01);
    case 'elu':
    case 'celu':
      return withSlope(kind, valueAt(state, 'alpha'), 1);
    case 'gelu':
      return valueAt(state, 'approximate') === 'tanh' ? 'gelu_tanh' : kind;
    default:
      return kind;
  }
}

/** `leaky_relu:0.1`; without its parameter if that is the usual one. */
export function withSlope(kind: string, value: PickleValue | undefined, usual: number): string {
  return typeof value === 'number' && value !== usual ? `${kind}:${value}` : kind;
}
