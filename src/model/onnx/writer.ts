/**
 * Writes one of our graphs while an ONNX graph is read. It has the nodes and their extents, the values of the file
 * by name, and functions that bring a value into a layout.
 */

import { FormatError } from '../../errors.js';
import { extentsText, type Node, type Operator, type ValueShape } from '../graph/node.js';
import { constant } from '../graph/operators/constant.js';
import { flatten } from '../graph/operators/flatten.js';
import { permute } from '../graph/operators/permute.js';
import { checkedSize, stridesOf, type Tensor } from './tensor.js';
import {
  type Axis,
  dimsOf,
  isIn,
  type Layout,
  type Move,
  merged,
  moveTo,
  type Part,
  type View,
  viewOf,
} from './view.js';

/** A constant, or a view of a node's value. */
export type Value = Tensor | View;

export type Pads = readonly [top: number, left: number, bottom: number, right: number];

/** How a node's value is computed from others, if it is arithmetic; idioms.ts reads it. */
export type Expression =
  | { readonly kind: 'shift'; readonly of: number; readonly by: number }
  | { readonly kind: 'scale'; readonly of: number; readonly by: number }
  | { readonly kind: 'product'; readonly of: readonly [number, number] };

/** The most nodes of a network. */
const MOST_NODES = 50_000;
/** The most elements of a value: as many as fit into 4 GB. */
const MOST_ELEMENTS = 2 ** 30;
/** How many elements of constants may still be computed, or read for that. */
export interface Work {
  left: number;
}

/** As many as a VGG's classifier has, whose weights some exporters transpose in the graph. */
export const MOST_WORK: number = 2 ** 27;

export class GraphWriter {
  readonly opset: number;
  readonly warnings: Set<string> = new Set();
  readonly shapes: ValueShape[] = [];
  readonly nodes: Node[] = [];
  /** What is known of a node's value besides its operator, for idioms.ts. */
  readonly expressions: Map<number, Expression> = new Map();
  /** The widths of borders of zeros, by the nodes that add them. A convolution can use them as its padding. */
  readonly zeroBorders: Map<number, Pads> = new Map();
  /** Values of the file, by name. */
  readonly values: Map<string, Value> = new Map();
  /** Constants that nodes read, by name. */
  readonly tensors: Map<string, Tensor> = new Map();
  /** Outputs that are not computed, with the error for a node that reads them. */
  readonly missing: Map<string, FormatError> = new Map();
  readonly #size: readonly [number, number];
  /** Values that were brought into another layout, by node and layout. */
  readonly #realised = new Map<string, number>();
  /** Whether a constant that nodes read depends on the size of the picture. */
  isSizeBound = false;
  readonly #work: Work;

  constructor(opset: number, size: readonly [H: number, W: number], work: Work) {
    this.opset = opset;
    this.#work = work;
    this.#size = size;
  }

  /** The value of a name. @throws {FormatError} if no earlier node makes it */
  value(name: string): Value {
    const value = this.values.get(name);
    if (value) return value;
    const missing = this.missing.get(name);
    if (missing) throw missing;
    throw new FormatError(
      `value ${name} is read before any node makes it: a cycle, or the file is damaged`,
    );
  }

  /** Names the output of a node of the file. @throws {FormatError} if the name is in use */
  name(name: string, value: Value): void {
    if (this.values.has(name)) throw new FormatError(`value ${name} is made twice`);
    this.values.set(name, value);
  }

  /** Counts the elements of computed constants. @throws {FormatError} for more than a network has */
  charge(elements: number): void {
    this.#work.left -= elements;
    if (this.#work.left < 0) {
      throw new FormatError(`more than ${MOST_WORK} elements of constants are to be computed`);
    }
  }

  /** Adds a node. @returns its index. @throws {ShapeError} if its inputs do not fit */
  node(name: string, operator: Operator, inputs: readonly number[]): number {
    if (this.nodes.length >= MOST_NODES) throw new FormatError(`more than ${MOST_NODES} operators`);
    const [H, W] = this.#size;
    const given = inputs.length > 0 ? inputs.map((i) => this.shapes[i]!) : [{ H, W, C: 0 }];
    const shape = operator.shape(given);
    if (!(shape.H * shape.W * shape.C <= MOST_ELEMENTS)) {
      throw new FormatError(`a value of ${extentsText(shape)} is too large`);
    }
    this.shapes.push(shape);
    return this.nodes.push({ name, operator, inputs }) - 1;
  }

  /** Names a constant that a node reads. */
  tensor(name: string, tensor: Tensor): string {
    this.isSizeBound ||= tensor.isSizeBound;
    // Whole numbers without scales become floats.
    const own = tensor.isFloat ? tensor : tensor.as('F32');
    const isOther = (known: Tensor | undefined): boolean =>
      known !== undefined && (known.read !== own.read || `${known.shape}` !== `${own.shape}`);
    let key = name;
    while (isOther(this.tensors.get(key))) key += "'";
    this.tensors.set(key, own);
    return key;
  }

  /** A value in a layout: its own node if it has this layout, else a new node that moves its elements. */
  realised(view: View, layout: Layout, name: string): View {
    if (isIn(view, layout)) return view;
    const move = view.dims.length === layout.length && moveTo(view, layout);
    if (!move) {
      const text = layout.map((axis) => axis ?? 1).join(', ');
      throw new FormatError(`a value of [${dimsOf(view)}] is not taken as [${text}]`);
    }
    return viewOf(this.#moved(view.node, move, name), move.to, layout);
  }

  /** A value as one vector, in ONNX's order of elements. */
  vector(view: View, name: string): View {
    const flat = { ...view, dims: [merged(view.dims.flat())] };
    if (isIn(flat, ['C'])) return flat;
    const move = moveTo(flat, ['C'])!;
    // A layer after it can fold the order of NCHW.
    const axes = flat.dims[0]!.map(({ axis }) => axis);
    const isFlat = `${['C', 'H', 'W'].filter((axis) => axes.includes(axis as Axis))}` === `${axes}`;
    const node = isFlat
      ? this.#once(`${view.node} flat`, () => this.node(name, flatten(), [view.node]))
      : this.#moved(view.node, move, name);
    return viewOf(node, move.to, ['C']);
  }

  #moved(node: number, { extents, order, to }: Move, name: string): number {
    const key = `${node} ${extents} ${order} ${to.H} ${to.W} ${to.C}`;
    // The name of a value stays with the node that makes it.
    const own = this.nodes[node]!.name === name ? `${name}:moved` : name;
    return this.#once(key, () => this.node(own, permute(extents, order, to), [node]));
  }

  #once(key: string, make: () => number): number {
    const known = this.#realised.get(key);
    if (known !== undefined) return known;
    const node = make();
    this.#realised.set(key, node);
    return node;
  }

  /** Names a constant that the file does not have. */
  made(name: string, tensor: Tensor): string {
    this.charge(tensor.size);
    return this.tensor(name, tensor);
  }

  /** The node of a constant [H, W, C]. */
  constantNode(data: Tensor, name: string): number {
    const [H, W, C] = data.shape as [number, number, number];
    const key = this.made(`${name}:constant`, data);
    const isNonNegative = data.values.every((value) => value >= 0);
    return this.node(key, constant(key, key, { H, W, C }, isNonNegative), []);
  }

  /** A constant as a value, with its elements in their order. Another layout would move them in every pass. */
  constant(tensor: Tensor, name: string): View {
    const C = checkedSize(tensor.shape);
    if (C === 0) throw new FormatError(`${name} has no elements`);
    const node = this.constantNode(tensor.reshaped([1, 1, C]), name);
    const steps = stridesOf(tensor.shape);
    const dims = tensor.shape.map((size, d): Part[] =>
      size === 1 ? [] : [{ axis: 'C', size, step: steps[d]! }],
    );
    return { node, shape: { H: 1, W: 1, C }, dims };
  }
}
