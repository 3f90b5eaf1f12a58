/**
 * Writes nodes in ONNX's operators of one opset, 11 or later. Constants are nodes, which every version of the format
 * accepts.
 */

import { ATTRIBUTE, ELEMENT, NODE, TENSOR } from './scan.js';
import { Message } from './wire.js';

/** The type of an attribute in AttributeProto. */
const KIND = { int: 2, text: 3, tensor: 4, ints: 7 } as const;

/** A whole number, several, a text, or a tensor. */
export type AttributeValue = number | readonly number[] | string | Message;

/** From this opset ReduceSum, Squeeze and Unsqueeze have their axes as an input … */
const AXES_OF_SUMS = 13;
/** … and from this opset all other reductions, too. */
const AXES_OF_ALL = 18;
/** From this opset Resize needs no region of interest. */
const RESIZE_WITHOUT_ROI = 13;

const LARGEST_INT = 2n ** 63n - 1n;

export type Reduction = 'ReduceMean' | 'ReduceSum' | 'ReduceMax' | 'ReduceMin' | 'ReduceProd';

export class NodeWriter {
  readonly opset: number;
  /** NodeProto messages in topological order. */
  readonly nodes: Message[] = [];
  readonly #prefix: string;
  readonly #constants = new Map<string, string>();

  /** @param prefix of all new names; no name of the file begins with it */
  constructor(opset: number, prefix: string) {
    this.opset = opset;
    this.#prefix = prefix;
  }

  /**
   * Writes a node with one output.
   *
   * @param inputs names of values; '' for an input that is left out
   * @param output its name; a new one by default
   * @returns the name of the output
   */
  node(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    output: string = `${this.#prefix}${opType}_${this.nodes.length}`,
  ): string {
    const node = new Message();
    for (const name of inputs) node.text(NODE.input, name);
    node.text(NODE.output, output).text(NODE.name, `${this.#prefix}node_${this.nodes.length}`);
    node.text(NODE.opType, opType);
    for (const [name, value] of Object.entries(attributes)) {
      node.message(NODE.attribute, attribute(name, value));
    }
    this.nodes.push(node);
    return output;
  }

  /** A float32 scalar. */
  float(value: number): string {
    return this.#constant(`float ${value}`, () => tensor(ELEMENT.float, [], floatBytes([value])));
  }

  /** A float32 vector. */
  floats(values: readonly number[]): string {
    const key = `floats ${values.join(' ')}`;
    const { length } = values;
    return this.#constant(key, () => tensor(ELEMENT.float, [length], floatBytes(values)));
  }

  /** An int64 scalar. */
  int(value: number): string {
    return this.#constant(`int ${value}`, () => tensor(ELEMENT.int64, [], intBytes([value])));
  }

  /** An int64 vector. */
  ints(values: readonly number[]): string {
    const key = `ints ${values.join(' ')}`;
    const { length } = values;
    return this.#constant(key, () => tensor(ELEMENT.int64, [length], intBytes(values)));
  }

  /** A value of any type, cast to float32. */
  toFloat(x: string): string {
    return this.node('Cast', [x], { to: ELEMENT.float });
  }

  reduce(opType: Reduction, x: string, axes: readonly number[], keepdims: boolean): string {
    const since = opType === 'ReduceSum' ? AXES_OF_SUMS : AXES_OF_ALL;
    return this.#overAxes(opType, x, axes, since, { keepdims: keepdims ? 1 : 0 });
  }

  squeeze(x: string, axes: readonly number[], output?: string): string {
    return this.#overAxes('Squeeze', x, axes, AXES_OF_SUMS, {}, output);
  }

  unsqueeze(x: string, axes: readonly number[]): string {
    return this.#overAxes('Unsqueeze', x, axes, AXES_OF_SUMS, {});
  }

  /** Bilinear, half-pixel centres, edges clamped: x [N, 1, h, w] to `sizes`, int64 [4]. */
  resize(x: string, sizes: string): string {
    const empty = this.opset < RESIZE_WITHOUT_ROI ? this.floats([]) : '';
    const attributes = { mode: 'linear', coordinate_transformation_mode: 'half_pixel' };
    return this.node('Resize', [x, empty, empty, sizes], attributes);
  }

  #overAxes(
    opType: string,
    x: string,
    axes: readonly number[],
    since: number,
    attributes: Record<string, AttributeValue>,
    output?: string,
  ): string {
    return this.opset < since
      ? this.node(opType, [x], { axes, ...attributes }, output)
      : this.node(opType, [x, this.ints(axes)], attributes, output);
  }

  #constant(key: string, make: () => Message): string {
    let name = this.#constants.get(key);
    if (name === undefined) {
      name = this.node('Constant', [], { value: make() });
      this.#constants.set(key, name);
    }
    return name;
  }
}

export function attribute(name: string, value: AttributeValue): Message {
  const message = new Message().text(ATTRIBUTE.name, name);
  if (typeof value === 'number') {
    return message.int(ATTRIBUTE.int, value).int(ATTRIBUTE.type, KIND.int);
  }
  if (typeof value === 'string') {
    return message.text(ATTRIBUTE.text, value).int(ATTRIBUTE.type, KIND.text);
  }
  if (value instanceof Message) {
    return message.message(ATTRIBUTE.tensor, value).int(ATTRIBUTE.type, KIND.tensor);
  }
  for (const int of value) message.int(ATTRIBUTE.ints, int);
  return message.int(ATTRIBUTE.type, KIND.ints);
}

function tensor(element: number, dims: readonly number[], bytes: Uint8Array): Message {
  const message = new Message();
  for (const dim of dims) message.int(TENSOR.dims, dim);
  return message.int(TENSOR.dataType, element).bytes(TENSOR.rawData, bytes);
}

function floatBytes(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => {
    view.setFloat32(4 * i, value, true);
  });
  return new Uint8Array(view.buffer);
}

function intBytes(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * values.length));
  values.forEach((value, i) => {
    // 2^63 − 1, which means "to the end", is 2^63 as a JavaScript number.
    view.setBigInt64(8 * i, value < 2 ** 63 ? BigInt(value) : LARGEST_INT, true);
  });
  return new Uint8Array(view.buffer);
}
