/**
 * Translates an ONNX graph to one of our graphs, for a picture of one size, node by node. Each ONNX value becomes a
 * constant or a view of a value of our graph. Constants and shape arithmetic are computed at once (constants.ts);
 * the rules of ./operators translate everything else.
 */

import { FormatError, ShapeError } from '../../errors.js';
import { type Graph, type Node, rangesOf } from '../graph/node.js';
import { input } from '../graph/operators/input.js';
import { Call, refusal } from './call.js';
import { folded, isFoldable } from './constants.js';
import { RULES } from './operators/index.js';
import type { OnnxModel, OnnxNode } from './proto.js';
import type { OnnxInput } from './signature.js';
import { Tensor } from './tensor.js';
import { dimsOf, type View, viewOf } from './view.js';
import { GraphWriter, type Value, type Work } from './writer.js';

export interface Imported {
  readonly graph: Omit<Graph, 'classes'>;
  /** The output of the graph, with ONNX's dimensions. */
  readonly output: View;
  /** Constants that our nodes read, by name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly warnings: readonly string[];
  /** Whether a constant that nodes read depends on the size of the picture. */
  readonly isSizeBound: boolean;
  /** Values of the file, by name. Their nodes are numbered before unused nodes are removed. */
  readonly values: ReadonlyMap<string, Value>;
  /** Whether one of these is never below 0, as far as the operators show it. */
  isNonNegative(value: View): boolean;
}

export interface ImportOptions {
  readonly model: OnnxModel;
  /** Initializers, by name. */
  readonly initializers: ReadonlyMap<string, Tensor>;
  readonly input: OnnxInput;
  /** Name of the network's output. */
  readonly output: string;
  /** Names of other values that are needed. */
  readonly others?: readonly string[] | undefined;
  readonly size: readonly [H: number, W: number];
  /** The work that all attempts to read the file may do together. */
  readonly work: Work;
}

/** Reads a graph. @throws {FormatError} with operator, node and opset, without the file's name */
export function importGraph({
  model,
  initializers,
  input: picture,
  output,
  others = [],
  size,
  work,
}: ImportOptions): Imported {
  const writer = new GraphWriter(model.opsets.get('') ?? 1, size, work);
  for (const [name, tensor] of initializers) writer.name(name, tensor);
  const node = writer.node(picture.name, input(picture.channels), []);
  writer.name(picture.name, viewOf(node, writer.shapes[node]!, picture.layout));
  const needed = neededNodes(model.graph.nodes, [output, ...others]);
  checkOperators(needed, writer);
  for (const node of needed) add(writer, node);
  const given = writer.value(output);
  if (given instanceof Tensor) {
    throw new FormatError(`output ${output} does not depend on a picture`);
  }
  const isVector = dimsOf(given).filter((size) => size > 1).length <= 1;
  const value = isVector ? writer.vector(given, output) : given;
  const { nodes, map } = alive(writer.nodes, value.node);
  return {
    graph: { nodes: withOwnNames(nodes), output: map[value.node]! },
    output: { ...value, node: map[value.node]! },
    tensors: writer.tensors,
    warnings: [...writer.warnings],
    isSizeBound: writer.isSizeBound,
    values: writer.values,
    isNonNegative: (value) => rangesOf(writer)[value.node]!.nonNegative,
  };
}

/** The nodes on which the outputs depend, in the file's order. */
function neededNodes(nodes: readonly OnnxNode[], outputs: readonly string[]): OnnxNode[] {
  const needed = new Set(outputs);
  const found: OnnxNode[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((name) => name !== '' && needed.has(name))) continue;
    for (const name of node.inputs) needed.add(name);
    found.push(node);
  }
  return found.reverse();
}

const DOMAINS: readonly string[] = ['', 'com.microsoft'];

function isKnown({ op, domain }: OnnxNode): boolean {
  const isRule = DOMAINS.includes(domain) && Object.hasOwn(RULES, op);
  return isRule || (domain === '' && isFoldable(op));
}

/** Hints for operators that are not supported. */
const HINTS: readonly (readonly [operators: RegExp, hint: string])[] = [
  [/^(?:If|Loop|Scan)$/, 'export it for inference with fixed sizes, or by onnxsim'],
  [
    /^(?:ArgMax|TopK|NonMaxSuppression|NonZero|GatherND|ScatterND|OneHot)$/,
    'name an output before it by --output, with the logits',
  ],
];

/** One error lists all operators that are not supported. */
function checkOperators(nodes: readonly OnnxNode[], writer: GraphWriter): void {
  const unknown = nodes.filter((node) => !isKnown(node));
  const [first] = unknown;
  if (!first) return;
  const others = new Set(unknown.map(({ op }) => op));
  others.delete(first.op);
  const hint = HINTS.find(([operators]) => operators.test(first.op))?.[1];
  const more = others.size > 0 ? `; the same for ${[...others].slice(0, 8).join(', ')}` : '';
  throw refusal(
    first,
    writer.opset,
    `is not supported${more}: ${hint ?? 'export without it, or name an output before it by --output'}`,
  );
}

/** Translates one node of the file. */
function add(writer: GraphWriter, node: OnnxNode): void {
  const call = new Call(writer, node);
  const results = computed(call);
  for (const [i, name] of node.outputs.entries()) {
    const value = results[i];
    if (name === '') continue;
    if (value) writer.name(name, value);
    else writer.missing.set(name, refusal(node, writer.opset, `gives no output ${i} here`));
  }
}

function computed(call: Call): readonly (Value | undefined)[] {
  const { op, domain } = call.node;
  try {
    const inputs = call.inputs.filter((value) => value !== undefined);
    const constants = inputs.filter((value) => value instanceof Tensor);
    const isConstant = constants.length === inputs.length;
    if (isConstant && domain === '' && isFoldable(op)) {
      call.writer.charge(constants.reduce((sum, { size }) => sum + size, 0));
      return [made(call, constants, folded(call))];
    }
    if (!Object.hasOwn(RULES, op)) {
      throw new FormatError('is computed from the picture: only of constants it is supported');
    }
    const result = RULES[op]!(call);
    const values = Array.isArray(result) ? (result as readonly Value[]) : [result as Value];
    return values.map((value) => (isConstant ? made(call, constants, value) : value));
  } catch (error) {
    if (error instanceof ShapeError || error instanceof FormatError) {
      throw refusal(call.node, call.opset, `: ${error.message}`);
    }
    throw error;
  }
}

/** The output of a node with constant inputs. Its elements count as work, if they are new and not all the same. */
function made<T extends Value | undefined>(
  { writer, node }: Call,
  constants: readonly Tensor[],
  value: T,
): T | Tensor {
  if (!(value instanceof Tensor) || constants.length === 0) return value;
  if (constants.some(({ read }) => read === value.read)) return value;
  if (node.op !== 'ConstantOfShape') writer.charge(value.size);
  return value.markedAs(constants);
}

/** The nodes on which a value depends; the picture stays the first. */
export function alive(
  nodes: readonly Node[],
  output: number,
): { nodes: Node[]; map: readonly number[] } {
  const needed = new Set([0, output]);
  for (let i = nodes.length - 1; i >= 0; i--) {
    if (needed.has(i)) for (const value of nodes[i]!.inputs) needed.add(value);
  }
  const kept: Node[] = [];
  const map = nodes.map((node, i) => {
    if (!needed.has(i)) return -1;
    return kept.push(node) - 1;
  });
  const renumbered = kept.map((node) => ({ ...node, inputs: node.inputs.map((i) => map[i]!) }));
  return { nodes: renumbered, map };
}

/** If several of our nodes stand for one node of the file, the last has its name. */
function withOwnNames(nodes: readonly Node[]): Node[] {
  const seen = new Set<string>();
  return [...nodes.entries()]
    .reverse()
    .map(([i, node]) => {
      const isFirst = !seen.has(node.name);
      seen.add(node.name);
      return isFirst ? node : { ...node, name: `${node.name}:${i}` };
    })
    .reverse();
}
