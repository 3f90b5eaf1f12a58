/**
 * Reads a network off the names and shapes of its weights, layer by layer: a family says which layer comes
 * next, and what its kernel is; the file has the widths. Every tensor is checked as it is met.
 */

import { FormatError } from '../../errors.js';
import { SCALED_DTYPE } from '../formats/dtype.js';
import { scaleName, sizeOf, type TensorSource } from '../formats/tensor-source.js';
import type { Graph, Node, Operator } from '../graph/node.js';
import { adaptiveMean } from '../graph/operators/adaptive-mean.js';
import { add } from '../graph/operators/add.js';
import { affine } from '../graph/operators/affine.js';
import { concat } from '../graph/operators/concat.js';
import { type ConvAttributes, plainConv } from '../graph/operators/conv.js';
import { flatten } from '../graph/operators/flatten.js';
import { input } from '../graph/operators/input.js';
import { relu } from '../graph/operators/relu.js';

/** A value, and its channels. */
export interface Value {
  readonly node: number;
  readonly C: number;
}

export interface LayerOptions {
  /** Height and width of the kernel; default 1. */
  readonly kernel?: number;
  readonly stride?: number;
  /** Of zeros, on every side; default as many as keep the extents at stride 1. */
  readonly padding?: number;
  /** Whether channels may come in groups. */
  readonly grouped?: boolean;
}

/** Nodes that a network is taken for, at most: a DenseNet-264 has 1,600. */
const MOST_NODES = 20_000;

export class NetBuilder {
  readonly source: TensorSource;
  readonly #eps: number;
  readonly #nodes: Node[] = [];
  readonly #used = new Set<string>();

  /** @param eps what batch norms add to a variance */
  constructor(source: TensorSource, eps: number) {
    this.source = source;
    this.#eps = eps;
  }

  has(tensor: string): boolean {
    return this.source.tensors.has(tensor);
  }

  /** @throws {FormatError} naming the tensor, where there is none or it is not of that rank */
  shapeOf(tensor: string, rank: number): readonly number[] {
    const info = this.source.tensors.get(tensor);
    if (!info) throw this.fail(`tensor ${tensor} is missing`);
    if (info.shape.length !== rank || info.shape.some((size) => size < 1)) {
      throw this.fail(`tensor ${tensor} expected ${rank} dimensions ≥ 1, got [${info.shape}]`);
    }
    return info.shape;
  }

  fail(what: string): FormatError {
    return new FormatError(`${this.source.name}: ${what}`);
  }

  /** The picture, of as many channels as the first convolution takes. */
  input(firstWeight: string): Value {
    const C = this.shapeOf(firstWeight, 4)[1]!;
    return this.node('input', input(C), [], C);
  }

  /** @param C channels of the value; default those of the first input */
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
    const { kernel = 1, stride = 1, padding = (kernel - 1) >> 1, grouped = false } = options;
    const name = `${layer}.weight`;
    const shape = this.shapeOf(name, 4);
    const [Cout, perGroup] = shape as [number, number];
    const groups = grouped ? x.C / perGroup : 1;
    const isWhole = Number.isInteger(groups) && Cout % groups === 0;
    const expected = isWhole ? `${x.C / groups},${kernel},${kernel}` : `1…${x.C}`;
    if (!isWhole || `${shape.slice(1)}` !== expected) {
      throw this.fail(`tensor ${name} expected [${Cout},${expected}], got [${shape}]`);
    }
    return this.#weighted(layer, x, {
      layer,
      weight: { name, shape },
      bias: this.#bias(layer, Cout),
      extents: { Cin: x.C, Cout, kH: kernel, kW: kernel, groups },
      strideY: stride,
      strideX: stride,
      pads: [padding, padding, padding, padding],
    });
  }

  /** A fully connected layer over a value of 1×1. */
  linear(layer: string, x: Value): Value {
    const name = `${layer}.weight`;
    const shape = this.shapeOf(name, 2);
    const [Cout, Cin] = shape as [number, number];
    if (Cin !== x.C) {
      throw this.fail(`tensor ${name} expected [${Cout},${x.C}], got [${shape}]`);
    }
    return this.#weighted(layer, x, {
      layer,
      weight: { name, shape },
      bias: this.#bias(layer, Cout),
      extents: { Cin, Cout, kH: 1, kW: 1, groups: 1 },
    });
  }

  batchNorm(layer: string, x: Value): Value {
    const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(
      (part) => this.#vector(`${layer}.${part}`, x.C),
    ) as [string, string, string, string];
    this.#used.add(`${layer}.num_batches_tracked`);
    const norm = { gamma, beta, mean, variance, eps: this.#eps };
    return this.node(layer, affine(layer, x.C, [norm]), [x]);
  }

  relu(name: string, x: Value): Value {
    return this.node(name, relu(), [x]);
  }

  /** Convolution, batch norm, ReLU. */
  convNormRelu(layer: string, norm: string, x: Value, options: LayerOptions = {}): Value {
    return this.relu(`${layer}.relu`, this.batchNorm(norm, this.conv(layer, x, options)));
  }

  add(name: string, a: Value, b: Value): Value {
    return this.node(name, add(), [a, b]);
  }

  concat(name: string, values: readonly Value[]): Value {
    if (values.length === 1) return values[0]!;
    const C = values.reduce((sum, value) => sum + value.C, 0);
    return this.node(name, concat(), values, C);
  }

  /**
   * The classifier, whatever it is called: the fully connected layers that no other part of the network
   * took, ReLU between them, over the mean of x in as many parts as the first of them expects.
   *
   * @returns the network
   */
  classified(x: Value): Graph {
    const layers = [...this.source.tensors]
      .filter(([name, { shape }]) => shape.length === 2 && !this.#used.has(name))
      .flatMap(([name]) => (name.endsWith('.weight') ? [name.slice(0, -'.weight'.length)] : []))
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    if (layers.length === 0) return this.finish(x, 0);
    const parts = this.shapeOf(`${layers[0]}.weight`, 2)[1]! / x.C;
    const side = Number.isInteger(Math.sqrt(parts)) ? Math.sqrt(parts) : 1;
    let y = this.node('avgpool', adaptiveMean(side, side), [x]);
    if (side > 1) y = this.node('flatten', flatten(), [y], side * side * x.C);
    for (const [i, layer] of layers.entries()) {
      if (i > 0) y = this.relu(`${layers[i - 1]}.relu`, y);
      y = this.linear(layer, y);
    }
    return this.finish(y, y.C);
  }

  /** @throws {FormatError} where tensors are left over */
  finish(output: Value, classes: number): Graph {
    // Training's step counter has no part in inference; scales go with what they scale.
    const others = [...this.source.tensors.keys()].filter(
      (name) => !this.#used.has(name) && !name.endsWith('.num_batches_tracked'),
    );
    if (others.length > 0) {
      throw this.fail(`${others.length} unexpected tensors, the first is ${others[0]}`);
    }
    return { nodes: this.#nodes, output: output.node, classes };
  }

  #weighted(
    name: string,
    x: Value,
    attributes: Pick<ConvAttributes, 'layer' | 'weight' | 'extents'> & Partial<ConvAttributes>,
  ): Value {
    const { weight, extents } = attributes;
    this.#used.add(weight.name);
    const isScaled = this.source.tensors.get(weight.name)!.dtype === SCALED_DTYPE;
    if (isScaled) this.#used.add(scaleName(weight.name));
    return this.node(name, plainConv(attributes), [x], extents.Cout);
  }

  #bias(layer: string, Cout: number): string | undefined {
    const name = `${layer}.bias`;
    return this.has(name) ? this.#vector(name, Cout) : undefined;
  }

  #vector(name: string, C: number): string {
    if (sizeOf(this.shapeOf(name, 1)) !== C) {
      throw this.fail(`tensor ${name} expected [${C}], got [${this.shapeOf(name, 1)}]`);
    }
    this.#used.add(name);
    return name;
  }
}
