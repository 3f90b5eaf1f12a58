/**
 * Builds a network from the names and shapes of its weights, layer by layer. A family says which layer comes
 * next and the size of its kernel; the file has the widths. Every tensor is checked when it is used.
 */

import { FormatError } from '../../errors.js';
import { SCALED_DTYPE } from '../formats/dtype.js';
import { type LayerFacts, layerFactsOf, type NetOptions } from '../formats/metadata.js';
import type { NamedWeights } from '../formats/naming.js';
import {
  scaleName,
  sizeOf,
  type TensorShape,
  type TensorSource,
} from '../formats/tensor-source.js';
import type { Graph, Node, Operator } from '../graph/node.js';
import { activationNamed, parseActivation } from '../graph/operators/activation.js';
import { add } from '../graph/operators/add.js';
import { affine } from '../graph/operators/affine.js';
import { concat } from '../graph/operators/concat.js';
import { type ConvAttributes, isConv, plainConv } from '../graph/operators/conv.js';
import { input } from '../graph/operators/input.js';
import { maxPool, meanPool } from '../graph/operators/pool.js';

/** A value, and its channels. */
export interface Value {
  readonly node: number;
  readonly C: number;
}

export interface LayerOptions {
  /** Height and width of the kernel; default 1. */
  readonly kernel?: number;
  readonly stride?: number;
  readonly dilation?: number;
  /** Zeros on every side; the default keeps the extents at stride 1. */
  readonly padding?: number;
  /** Whether channels may come in groups. */
  readonly grouped?: boolean;
}

/** The most nodes of a network: a DenseNet-264 has 1,600. */
const MOST_NODES = 20_000;

/** Last parts of the name of a layer's matrix or kernel; with weight norm, of its direction. */
const WEIGHTS = ['weight', 'weight_v', 'parametrizations.weight.original1'] as const;
/** Last parts of the name of its magnitude, for each output channel, in the same order. */
const MAGNITUDES = [undefined, 'weight_g', 'parametrizations.weight.original0'] as const;

export class NetBuilder {
  readonly source: TensorSource;
  readonly options: NetOptions;
  /** Warnings for whoever loads the weights, one line each. */
  readonly warnings: string[];
  /** Guesses about parts of the network, which may be wrong. Files that `convert` wrote need none. */
  readonly doubts: string[] = [];
  /** The prefix of the network's names in the file. */
  readonly prefix: string;
  readonly #outside: ReadonlySet<string>;
  /** What the file states about layers besides their tensors. It takes precedence over the family's defaults. */
  readonly #facts: ReadonlyMap<string, LayerFacts>;
  readonly #nodes: Node[] = [];
  readonly #used = new Set<string>();

  constructor({ source, prefix, outside }: NamedWeights<TensorShape>, options: NetOptions) {
    this.source = source;
    this.prefix = prefix;
    this.options = options;
    this.warnings = [...(source.warnings ?? [])];
    this.#outside = outside;
    this.#facts = layerFactsOf(source);
  }

  /** How many tensors the network has taken. */
  get taken(): number {
    return this.#used.size;
  }

  has(tensor: string): boolean {
    return this.source.tensors.has(tensor);
  }

  /** @throws {FormatError} with the name of the tensor, if it is missing or has another rank */
  shapeOf(tensor: string, rank: number): readonly number[] {
    const info = this.source.tensors.get(tensor);
    if (!info) throw this.fail(`tensor ${tensor} is missing${this.#instead(tensor)}`);
    if (info.shape.length !== rank || info.shape.some((size) => size < 1)) {
      throw this.fail(`tensor ${tensor} expected ${rank} dimensions ≥ 1, got [${info.shape}]`);
    }
    return info.shape;
  }

  /** The shape of a tensor; `undefined` if it is missing. */
  shapeIn(tensor: string): readonly number[] | undefined {
    return this.source.tensors.get(tensor)?.shape;
  }

  factsOf(layer: string): LayerFacts | undefined {
    return this.#facts.get(layer);
  }

  /** Whether the file states the stride and padding of each layer, as a whole module does. */
  get isWhole(): boolean {
    return this.#facts.size > 0;
  }

  /** The names of the pools that the file states. @param kind default: any */
  pools(kind?: LayerFacts['pool']): string[] {
    return [...this.#facts].flatMap(([name, { pool, kernel }]) =>
      kernel && pool && (kind ?? pool) === pool ? name : [],
    );
  }

  /** The activation functions that the file states for modules whose names begin with `way`. */
  activationsIn(way: string): string[] {
    return [...this.#facts].flatMap(([name, { activation }]) =>
      activation !== undefined && name.startsWith(way) ? activation : [],
    );
  }

  /** The name of a layer's weight, if it has one. */
  weightName(layer: string): string | undefined {
    const i = WEIGHTS.findIndex((part, n) => {
      const magnitude = MAGNITUDES[n];
      return this.has(`${layer}.${part}`) && (!magnitude || this.has(`${layer}.${magnitude}`));
    });
    return i < 0 ? undefined : `${layer}.${WEIGHTS[i]}`;
  }

  /** Whether there is a layer of that name, even if its weight is stored in a form that cannot be read. */
  hasLayer(layer: string): boolean {
    const others = ['weight_orig', 'parametrizations.weight.original'];
    return this.weightName(layer) !== undefined || others.some((o) => this.has(`${layer}.${o}`));
  }

  /** The tensors that no layer has taken, in the file's order. Step counters of training are left out. */
  get unused(): string[] {
    return [...this.source.tensors].flatMap(([name, { shape }]) =>
      this.#used.has(name) || shape.length === 0 || name.endsWith('.num_batches_tracked')
        ? []
        : name,
    );
  }

  /** The first parts of the names of taken tensors: `layer1`, `fc` … */
  topNames(): Set<string> {
    return new Set([...this.#used].map((name) => name.split('.', 1)[0]!));
  }

  isOutside(tensor: string): boolean {
    return this.#outside.has(tensor);
  }

  fail(what: string): FormatError {
    return new FormatError(`${this.source.name}: ${what}`);
  }

  /** The picture, with as many channels as the first convolution takes. */
  input(firstWeight: string): Value {
    const C = this.shapeOf(firstWeight, 4)[1]!;
    return this.node('input', input(C), [], C);
  }

  /** @param C channels of the value; default: those of the first input */
  node(
    name: string,
    operator: Operator,
    inputs: readonly Value[],
    C: number = inputs[0]!.C,
  ): Value {
    if (this.#nodes.length >= MOST_NODES) throw this.fail(`more than ${MOST_NODES} operators`);
    this.#nodes.push({ name, operator, inputs: inputs.map(({ node }) => node) });
    return { node: this.#nodes.length - 1, C };
  }

  conv(layer: string, x: Value, options: LayerOptions = {}): Value {
    const { kernel = 1, grouped = false } = options;
    const name = this.weightName(layer) ?? `${layer}.weight`;
    const shape = this.shapeOf(name, 4);
    const [Cout, perGroup] = shape as [number, number];
    const groups = grouped ? x.C / perGroup : 1;
    const isWhole = Number.isInteger(groups) && Cout % groups === 0;
    const expected = isWhole ? `${x.C / groups},${kernel},${kernel}` : `1…${x.C}`;
    if (!isWhole || `${shape.slice(1)}` !== expected) {
      throw this.fail(`tensor ${name} expected [${Cout},${expected}], got [${shape}]`);
    }
    const facts = this.factsOf(layer);
    const [dilationY, dilationX] = facts?.dilation ?? pair(options.dilation ?? 1);
    const [strideY, strideX] = facts?.stride ?? pair(options.stride ?? 1);
    const usual = options.padding ?? ((kernel - 1) >> 1) * dilationY;
    const [padY, padX] = facts?.padding ?? pair(usual);
    return this.#weighted(x, {
      layer,
      weight: { name, shape },
      extents: { Cin: x.C, Cout, kH: kernel, kW: kernel, groups },
      ...{ strideY, strideX, dilationY, dilationX },
      pads: [padY, padX, padY, padX],
    });
  }

  /** A fully connected layer over a value of 1×1: a matrix, or a 1×1 kernel. */
  linear(layer: string, x: Value): Value {
    const name = this.weightName(layer) ?? `${layer}.weight`;
    if (this.shapeIn(name)?.length === 4) return this.conv(layer, x);
    const shape = this.shapeOf(name, 2);
    const [Cout, Cin] = shape as [number, number];
    if (Cin !== x.C) {
      throw this.fail(`tensor ${name} expected [${Cout},${x.C}], got [${shape}]`);
    }
    const extents = { Cin, Cout, kH: 1, kW: 1, groups: 1 };
    return this.#weighted(x, { layer, weight: { name, shape }, extents });
  }

  /**
   * Batch norm. Adds nothing if it was already folded into the bias of the convolution before.
   *
   * @param eps used if the file does not state it; default: the network's
   */
  batchNorm(layer: string, x: Value, eps: number = this.options.batchNormEps): Value {
    const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(
      (part) => `${layer}.${part}`,
    ) as [string, string, string, string];
    if (!this.has(mean)) {
      if (this.has(gamma) && this.has(beta)) {
        throw this.fail(
          `${layer} has no running mean: a GroupNorm or its like, which is not supported, or saved without the buffers of model.state_dict()`,
        );
      }
      const { operator, name } = this.#nodes[x.node]!;
      if (![gamma, beta, variance].some((part) => this.has(part))) {
        // Already folded.
        if (isConv(operator) && operator.bias !== undefined) return x;
        throw this.fail(
          `tensor ${gamma} is missing, and ${name} has no bias: an InstanceNorm, which has no tensors, or no norm at all, is not supported`,
        );
      }
    }
    const isAffine = this.has(gamma) || this.has(beta);
    const norm = {
      ...(isAffine && { gamma: this.#vector(gamma, x.C), beta: this.#vector(beta, x.C) }),
      mean: this.#vector(mean, x.C),
      variance: this.#vector(variance, x.C),
      eps: this.factsOf(layer)?.eps ?? eps,
    };
    return this.node(layer, affine(layer, x.C, [norm]), [x]);
  }

  /**
   * An activation function.
   *
   * @param kind default: the network's, mostly a ReLU
   */
  relu(name: string, x: Value, kind: string = this.options.activationFunction): Value {
    const known = parseActivation(kind);
    if (!known) throw this.fail(`${name} is the function ${kind}: not supported`);
    return this.node(name, activationNamed(known), [x]);
  }

  /** Convolution, batch norm, activation function. */
  convNormRelu(layer: string, norm: string, x: Value, options: LayerOptions = {}): Value {
    return this.relu(`${layer}.relu`, this.batchNorm(norm, this.conv(layer, x, options)));
  }

  maxPool(name: string, x: Value, side: number, pad = 0): Value {
    const facts = this.#poolFacts(name, 'max');
    const { kernel = pair(side), stride = pair(2), padding = pair(pad), ceilMode } = facts;
    const [top, left] = padding;
    const pads = [top, left, top, left] as const;
    return this.node(name, maxPool({ kernel, stride, pads, ceil: ceilMode === true }), [x]);
  }

  /** The mean of windows at stride 2. @param ceil whether a window that begins inside and ends outside counts */
  meanPool(name: string, x: Value, ceil = false): Value {
    this.#poolFacts(name, 'mean');
    return this.node(name, meanPool({ kernel: pair(2), stride: pair(2), ceil }), [x]);
  }

  /** @throws {FormatError} if the file states a pool of the other kind */
  #poolFacts(name: string, kind: 'max' | 'mean'): LayerFacts {
    const facts = this.factsOf(name) ?? {};
    if ((facts.pool ?? kind) === kind) return facts;
    throw this.fail(`${name} is a ${facts.pool} pool, not a ${kind} pool: not supported`);
  }

  add(name: string, a: Value, b: Value): Value {
    return this.node(name, add(), [a, b]);
  }

  concat(name: string, values: readonly Value[]): Value {
    if (values.length === 1) return values[0]!;
    const C = values.reduce((sum, value) => sum + value.C, 0);
    return this.node(name, concat(), values, C);
  }

  finish(output: Value, classes: number): Graph {
    return { nodes: this.#nodes, output: output.node, classes };
  }

  /** For a missing weight: what replaced it in the file, and how to get it back. */
  #instead(tensor: string): string {
    const layer = tensor.slice(0, -'.weight'.length);
    if (this.has(`${tensor}_mask`)) {
      return ", it was pruned: torch.nn.utils.prune.remove(module, 'weight') makes that lasting";
    }
    if (this.has(`${tensor}_orig`)) {
      return ', it has a spectral norm: torch.nn.utils.remove_spectral_norm(module) ends that';
    }
    const original = `${layer}.parametrizations.weight.original`;
    if (!this.has(original)) return '';
    return ", it has a parametrization: torch.nn.utils.parametrize.remove_parametrizations(module, 'weight') ends that";
  }

  #weighted(
    x: Value,
    attributes: Pick<ConvAttributes, 'layer' | 'weight' | 'extents'> & Partial<ConvAttributes>,
  ): Value {
    const { layer, weight, extents } = attributes;
    const { Cout } = extents;
    this.#used.add(weight.name);
    const isScaled = this.source.tensors.get(weight.name)!.dtype === SCALED_DTYPE;
    if (isScaled) this.#used.add(scaleName(weight.name));
    const norm = WEIGHTS.findIndex((part) => weight.name === `${layer}.${part}`);
    const magnitude = MAGNITUDES[norm] && `${layer}.${MAGNITUDES[norm]}`;
    if (magnitude) {
      const shape = this.shapeIn(magnitude) ?? [];
      // A weight norm over other dimensions has another shape.
      if (shape[0] !== Cout || sizeOf(shape) !== Cout) {
        throw this.fail(
          `tensor ${magnitude} expected a value for each of ${Cout} outputs, got [${shape}]`,
        );
      }
      this.#used.add(magnitude);
    }
    const bias = `${layer}.bias`;
    const operator = plainConv({
      ...attributes,
      bias: this.has(bias) ? this.#vector(bias, Cout) : undefined,
      ...(magnitude && { magnitude }),
    });
    return this.node(layer, operator, [x], Cout);
  }

  #vector(name: string, C: number): string {
    if (sizeOf(this.shapeOf(name, 1)) !== C) {
      throw this.fail(`tensor ${name} expected [${C}], got [${this.shapeOf(name, 1)}]`);
    }
    this.#used.add(name);
    return name;
  }
}

function pair(value: number): readonly [number, number] {
  return [value, value];
}
