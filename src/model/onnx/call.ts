/** A node of an ONNX graph while it is read: its inputs, its attributes, and functions that make our own nodes. */

import { FormatError } from '../../errors.js';
import type { Operator } from '../graph/node.js';
import type { OnnxNode } from './proto.js';
import { Tensor, tensorOf } from './tensor.js';
import { dimsOf, LAYOUTS, type Layout, layoutOf, type View, viewOf } from './view.js';
import type { GraphWriter, Value } from './writer.js';

export class Call {
  readonly writer: GraphWriter;
  readonly node: OnnxNode;
  /** In their order; `undefined` for an input that is left out. */
  readonly inputs: readonly (Value | undefined)[];

  constructor(writer: GraphWriter, node: OnnxNode) {
    this.writer = writer;
    this.node = node;
    this.inputs = node.inputs.map((name) => (name === '' ? undefined : writer.value(name)));
  }

  get opset(): number {
    return this.writer.opset;
  }

  /** Name of the first output. */
  get name(): string {
    return this.node.outputs.find((name) => name !== '') ?? this.node.name;
  }

  input(i: number): Value {
    const value = this.inputs[i];
    if (value) return value;
    throw new FormatError(`input ${i} is missing`);
  }

  /** An input that must be a constant. */
  constant(i: number): Tensor {
    const value = this.input(i);
    if (value instanceof Tensor) return value;
    throw new FormatError(
      `input ${i} (${this.node.inputs[i]}) is computed from the picture: only a constant is supported there`,
    );
  }

  optionalConstant(i: number): Tensor | undefined {
    return this.inputs[i] === undefined ? undefined : this.constant(i);
  }

  /** An input as a value; a constant becomes one. */
  view(i: number): View {
    const value = this.input(i);
    if (!(value instanceof Tensor)) return value;
    return this.writer.constant(value, this.node.inputs[i]!);
  }

  /** An input in a layout. If a node has to rearrange it, that node has the name of the input. */
  viewIn(i: number, layout: Layout): View {
    return this.writer.realised(this.view(i), layout, this.node.inputs[i]!);
  }

  /** The first input in its own layout, if each dimension is a whole axis; else in the usual layout of its rank. */
  simple(view: View): { view: View; layout: Layout } {
    const own = layoutOf(view);
    if (own) return { view, layout: own };
    const layout = LAYOUTS[view.dims.length];
    if (!layout) throw new FormatError(`a value of [${dimsOf(view)}] is not supported there`);
    return { view: this.writer.realised(view, layout, this.node.inputs[0]!), layout };
  }

  int(name: string, usual: number): number {
    return this.node.attributes.get(name)?.i ?? usual;
  }

  float(name: string, usual: number): number {
    return this.node.attributes.get(name)?.f ?? usual;
  }

  text(name: string, usual: string): string {
    return this.node.attributes.get(name)?.s ?? usual;
  }

  ints(name: string): readonly number[] | undefined {
    const own = this.node.attributes.get(name)?.ints;
    return own && checkedList(own, name);
  }

  /** The numbers of a constant input, as a list. */
  numbers(i: number): readonly number[] {
    const tensor = this.constant(i);
    return checkedList({ length: tensor.size }, `input ${i}`) && [...tensor.values];
  }

  /** Whole numbers that are an attribute in old opsets, an input in new ones. */
  intsOrInput(name: string, i: number): readonly number[] | undefined {
    return this.ints(name) ?? (this.inputs[i] && this.numbers(i));
  }

  /** A tensor that is an attribute. */
  tensor(name: string): Tensor | undefined {
    const own = this.node.attributes.get(name)?.t;
    return (
      own &&
      tensorOf(own, () => {
        throw new FormatError(`attribute ${name} lies in another file: not supported`);
      })
    );
  }

  /** Adds one of our nodes, whose value has the dimensions of a view. */
  emit(operator: Operator, view: View, ...others: readonly number[]): View {
    const node = this.writer.node(this.name, operator, [view.node, ...others]);
    return { ...view, node };
  }

  /** Adds a node whose value is in a layout. */
  emitIn(
    operator: Operator,
    inputs: readonly number[],
    layout: Layout,
    name: string = this.name,
  ): View {
    const node = this.writer.node(name, operator, inputs);
    return viewOf(node, this.writer.shapes[node]!, layout);
  }
}

/** The most entries of a parameter list, which has one for each dimension or output. No node needs more. */
const MOST_ENTRIES = 65_536;

function checkedList<T extends { readonly length: number }>(list: T, what: string): T {
  if (list.length <= MOST_ENTRIES) return list;
  throw new FormatError(`${what} has ${list.length} entries, at most ${MOST_ENTRIES} are read`);
}

/** The error for a node, with operator, node and opset. */
export function refusal(
  { op, domain, name, outputs }: OnnxNode,
  opset: number,
  what: string,
): FormatError {
  const called = name || (outputs.find((output) => output !== '') ?? '');
  const from = domain === '' ? `opset ${opset}` : domain;
  return new FormatError(`${op} ${called} (${from})${what.startsWith(':') ? '' : ' '}${what}`);
}

/** Makes a node's outputs; those after the first may be left out. */
export type Rule = (call: Call) => Value | readonly (Value | undefined)[];

/** Makes one rule for each of several operators. */
export function rules<T>(
  operators: readonly string[],
  make: (operator: string) => T,
): Record<string, T> {
  return Object.fromEntries(operators.map((operator) => [operator, make(operator)]));
}
