/**
 * The backward pass as a graph: nodes appended to those of the forward pass.
 *
 *   forward    x ─▶ v₁ ─▶ v₂ ─▶ … ─▶ logits
 *                                       │ ∂score/∂logits
 *   backward   ∂x ◀─ ∂v₁ ◀─ ∂v₂ ◀─ … ◀──┘
 *
 * Only what lies between the score and the wanted values is differentiated. A value that several nodes read receives
 * the sum of their gradients. What the backward pass reads of the forward pass is kept until then, or computed again
 * from the nearest value that is kept.
 */

import { ShapeError } from '../../errors.js';
import { isConv2d } from '../../kernels/operators.js';
import type { Graph, Node, Operator, ValueShape } from '../graph/node.js';
import { add } from '../graph/operators/add.js';
import { backward, type Differentiated, type Rule, stepsOf } from './rule.js';
import { RULES } from './rules/index.js';

export interface GradientOptions {
  /** Guided backpropagation: each ReLU lets only positive gradients pass. */
  readonly guided?: boolean;
  /** Whether a value of the forward pass is kept for the backward pass; default: all are. The input always is. */
  readonly keeps?: (value: number) => boolean;
  /** Nodes whose own weights are wanted, too. */
  readonly weights?: WantedWeights;
  /** Rules of operators that only a training graph has, by the names of their steps. */
  readonly rules?: ReadonlyMap<string, Rule>;
}

export interface WantedWeights {
  has(node: number): boolean;
  /** Appends what computes the gradients of a node's weights. */
  append(node: number, differentiated: Differentiated): void;
}

export interface GradientGraph {
  readonly graph: Graph;
  /** ∂score/∂value for each of the wanted values. */
  readonly gradients: readonly number[];
  /** The wanted values themselves, marked as kept. */
  readonly values: readonly number[];
}

/**
 * Appends the nodes that compute the gradients of a score.
 *
 * @param graph folded, not fused
 * @param shapes the shapes of all values
 * @param score makes ∂score/∂logits of the logits
 * @param wanted the values with respect to which the score is differentiated
 * @throws {ShapeError} for an operator that has no gradient here
 */
export function gradient(
  graph: Graph,
  shapes: readonly ValueShape[],
  score: Operator,
  wanted: readonly number[],
  options: GradientOptions = {},
): GradientGraph {
  return new Backward(graph, shapes, options).to(score, wanted);
}

class Backward {
  readonly #graph: Graph;
  readonly #shapes: readonly ValueShape[];
  readonly #guided: boolean;
  readonly #keeps: (value: number) => boolean;
  readonly #weights: WantedWeights | undefined;
  readonly #rules: ReadonlyMap<string, Rule> | undefined;
  readonly #nodes: Node[];
  /** Values of the forward pass as the backward pass reads them. */
  readonly #again = new Map<number, number>();

  constructor(graph: Graph, shapes: readonly ValueShape[], options: GradientOptions) {
    const { guided = false, keeps = () => true } = options;
    this.#graph = graph;
    this.#shapes = shapes;
    this.#guided = guided;
    this.#keeps = keeps;
    this.#weights = options.weights;
    this.#rules = options.rules;
    this.#nodes = [...graph.nodes];
  }

  to(score: Operator, wanted: readonly number[]): GradientGraph {
    const { nodes, output } = this.#graph;
    const depends = this.#dependents(wanted);
    const parts = new Map<number, number[]>([[output, [this.#push('score', score, [output])]]]);
    const gradients = new Map<number, number>();
    for (let i = output; i >= depends.indexOf(true); i--) {
      const gradientOf = this.#sum(i, parts.get(i));
      if (gradientOf === undefined) continue;
      if (wanted.includes(i)) gradients.set(i, gradientOf);
      const { inputs } = nodes[i]!;
      if (this.#weights?.has(i)) this.#weights.append(i, this.#differentiated(i, gradientOf));
      const node = inputs.some((value) => depends[value]) && this.#differentiated(i, gradientOf);
      if (!node) continue;
      const rule = ruleOf(nodes[i]!, node, this.#rules);
      for (const [at, value] of inputs.entries()) {
        if (!depends[value]) continue;
        const part = rule(node, at);
        if (part !== undefined) parts.set(value, [...(parts.get(value) ?? []), part]);
      }
    }
    const kept = wanted.map((value) => gradients.get(value) ?? this.#zeros(value));
    return {
      graph: { ...this.#graph, nodes: this.#nodes },
      gradients: kept.map((value) => this.#keep(value)),
      values: wanted.map((value) => this.#keep(value)),
    };
  }

  #push(name: string, operator: Operator, inputs: readonly number[]): number {
    return this.#nodes.push({ name: `∂${name}`, operator, inputs }) - 1;
  }

  /** Whether each value depends on a wanted one, or on wanted weights. */
  #dependents(wanted: readonly number[]): boolean[] {
    const depends: boolean[] = [];
    for (const [i, { inputs }] of this.#graph.nodes.entries()) {
      const isWanted = wanted.includes(i) || this.#weights?.has(i) === true;
      depends.push(isWanted || inputs.some((value) => depends[value]));
    }
    return depends;
  }

  /** The sum of a value's gradients, one for each reader. */
  #sum(i: number, parts: readonly number[] | undefined): number | undefined {
    const { name } = this.#graph.nodes[i]!;
    return parts?.reduce((sum, part) => this.#push(name, add(), [part, sum]));
  }

  #differentiated(i: number, gradientOf: number): Differentiated {
    const { name, operator, inputs } = this.#graph.nodes[i]!;
    return {
      operator,
      inputs: inputs.map((value) => this.#shapes[value]!),
      shape: this.#shapes[i]!,
      gradient: gradientOf,
      guided: this.#guided,
      value: () => this.#read(i),
      input: (at) => this.#read(inputs[at]!),
      append: (own, read) => this.#push(name, own, read),
    };
  }

  /** A value of the forward pass. If it is not kept, the nodes that make it are repeated. */
  #read(value: number): number {
    if (value === 0 || this.#keeps(value)) return value;
    const known = this.#again.get(value);
    if (known !== undefined) return known;
    const { name, operator, inputs } = this.#graph.nodes[value]!;
    const read = inputs.map((input) => this.#read(input));
    const again = this.#nodes.push({ name, operator, inputs: read }) - 1;
    this.#again.set(value, again);
    return again;
  }

  /** Where the score does not depend on a value, its gradient is 0. */
  #zeros(value: number): number {
    const kernel = (out: Float32Array): void => void out.fill(0);
    const step = () => ({ op: 'zeros', numbers: [], kernel });
    return this.#push('zeros', backward(this.#shapes[value]!, step), []);
  }

  /** Another reader of a value, so that no node is fused into it and its buffer is not written again. */
  #keep(value: number): number {
    const name = this.#nodes[value]!.name;
    return this.#push(name, keep(), [value]);
  }
}

function keep(): Operator {
  return {
    kind: 'keep',
    shape: ([x]) => x!,
    range: ([x]) => x!,
    isIdentity: () => true,
    steps: () => [],
  };
}

function ruleOf(
  { name, operator }: Node,
  node: Differentiated,
  rules: ReadonlyMap<string, Rule> | undefined,
): Rule {
  // An identity has no step.
  if (operator.isIdentity?.(node.inputs))
    return ({ gradient: own, append, inputs }, i) =>
      append(backward(inputs[i]!, undefined, { isIdentity: true }), [own]);
  const step = stepsOf(node, 1)[0]!;
  const rule = isConv2d(step)
    ? RULES.get('conv2d')
    : step.activation
      ? RULES.get('activation')
      : (rules?.get(step.op) ?? RULES.get(step.op));
  if (rule) return rule;
  throw new ShapeError(
    `gradient: ${name} (${operator.kind}) cannot be differentiated: choose fastcam, which needs no gradient`,
  );
}
