/**
 * A network as it is trained, as one graph: forward pass, loss, and the gradients of the weights.
 *
 * Weights of convolutions and linear layers with their biases, and γ and β of batch norms, are trained. Other numbers of a
 * network (slopes of PReLU, layer norms) stay as they are.
 */

import { ShapeError } from '../errors.js';
import { type Conv2dShape, isConv2d } from '../kernels/operators.js';
import {
  biasGradient,
  weightCount,
  weightGradient,
  weightGradientNumbers,
} from '../kernels/training/index.js';
import type { Activation } from '../model/formats/metadata.js';
import { gradient } from '../model/gradient/gradient.js';
import { backward, type Differentiated, stepsOf } from '../model/gradient/rule.js';
import { partBehind } from '../model/graph/beginning-at.js';
import { type Graph, type Node, shapesOf, type ValueShape } from '../model/graph/node.js';
import { type Affine, isAffine } from '../model/graph/operators/affine.js';
import { type Conv, isConv } from '../model/graph/operators/conv.js';
import {
  appendNormGradient,
  batchNormOperator,
  batchNormRule,
  statisticsOperator,
  vectorsShape,
} from './batch-norm.js';
import { type BatchLoss, lossOperator } from './loss.js';

export interface TrainedGraphOptions {
  /** Pictures of a batch. */
  readonly N: number;
  /** Height and width of the pictures. */
  readonly size: readonly [H: number, W: number];
  /** Name of the value that the trained part begins at; default: the input. */
  readonly from?: string | undefined;
  readonly activation: Activation;
  readonly labelSmoothing: number;
  readonly loss: BatchLoss;
}

/** Where the gradients of a layer's weights are: values of the graph. */
export interface TrainedConv {
  readonly conv: Conv;
  readonly weight: number;
  readonly bias: number | undefined;
}

export interface TrainedNorm {
  readonly affine: Affine;
  /** ∂γ and ∂β, and μ and 1/√(variance + eps). */
  readonly sums: number;
  readonly statistics: number;
  /** Pixels of the batch. */
  readonly M: number;
}

export interface TrainedGraph {
  readonly graph: Graph;
  /** Extents of the input of the trained part. */
  readonly input: ValueShape;
  readonly convolutions: readonly TrainedConv[];
  readonly norms: readonly TrainedNorm[];
}

/**
 * @param whole not folded
 * @throws {ShapeError} if there is no classifier, an operator has no gradient, or the logits do not depend on `from` alone
 */
export function trainedGraph(whole: Graph, options: TrainedGraphOptions): TrainedGraph {
  const { N, size, from, activation, labelSmoothing, loss } = options;
  if (whole.classes === 0) throw new ShapeError('train: the network has no classifier');
  const { graph: part, input } = partBehind(whole, from, size, 'train');
  const { graph, norms: found } = withBatchNorms(part, N);
  const weights = new Weights(graph, found, N);
  const both = gradient(
    graph,
    shapesOf(graph, input.H, input.W),
    lossOperator(graph.classes, activation, labelSmoothing, loss),
    [],
    { weights, rules: new Map([['batchNorm', batchNormRule(weights.sums, N)]]) },
  );
  return { graph: both.graph, input, convolutions: weights.convolutions, norms: weights.norms };
}

/** Replaces each batch norm by the statistics of the batch and what normalises by them. */
function withBatchNorms(
  graph: Graph,
  N: number,
): { graph: Graph; norms: ReadonlyMap<number, Affine> } {
  const nodes: Node[] = [];
  const map: number[] = [];
  const norms = new Map<number, Affine>();
  for (const { name, operator, inputs: old } of graph.nodes) {
    const inputs = old.map((value) => map[value]!);
    if (isAffine(operator) && isTrainedNorm(operator)) {
      const statistics = statisticsOperator(operator, N);
      const at = nodes.push({ name: `${name}.statistics`, operator: statistics, inputs }) - 1;
      norms.set(nodes.length, operator);
      map.push(
        nodes.push({ name, operator: batchNormOperator(operator), inputs: [...inputs, at] }) - 1,
      );
    } else {
      map.push(nodes.push({ name, operator, inputs }) - 1);
    }
  }
  return { graph: { ...graph, nodes, output: map[graph.output]! }, norms };
}

function isTrainedNorm({ batchNorms: [norm, ...others] }: Affine): boolean {
  return others.length === 0 && !!norm?.mean && !!norm.variance;
}

/** Appends the gradients of all layers, and remembers where they are. */
class Weights {
  readonly convolutions: TrainedConv[] = [];
  readonly norms: TrainedNorm[] = [];
  /** ∂γ and ∂β of the latest batch norm of a layer. */
  readonly sums = new Map<string, number>();
  readonly #graph: Graph;
  readonly #found: ReadonlyMap<number, Affine>;
  readonly #N: number;

  constructor(graph: Graph, found: ReadonlyMap<number, Affine>, N: number) {
    this.#graph = graph;
    this.#found = found;
    this.#N = N;
  }

  has(node: number): boolean {
    return this.#found.has(node) || isConv(this.#graph.nodes[node]!.operator);
  }

  append(i: number, node: Differentiated): void {
    const affine = this.#found.get(i);
    if (!affine) {
      this.#appendConv(node.operator as Conv, node);
      return;
    }
    const sums = appendNormGradient(node, this.#N);
    const { H, W } = node.shape;
    const statistics = this.#graph.nodes[i]!.inputs[1]!;
    this.sums.set(affine.layer, sums);
    this.norms.push({ affine, sums, statistics, M: this.#N * H * W });
  }

  #appendConv(conv: Conv, node: Differentiated): void {
    const N = this.#N;
    const shape = convShape(node, N);
    const own = backward(vectorsShape(weightCount(shape), N), () => ({
      op: 'weightGradient',
      numbers: weightGradientNumbers(shape),
      kernel: (out, [x, g]) => weightGradient(out, x!, g!, shape),
    }));
    const weight = node.append(own, [node.input(0), node.gradient]);
    let bias: number | undefined;
    if (conv.bias !== undefined) {
      const { Cout } = shape;
      const sums = backward(vectorsShape(Cout, N), () => ({
        op: 'biasGradient',
        numbers: [],
        kernel: (out, [g]) => biasGradient(out, g!, Cout),
      }));
      bias = node.append(sums, [node.gradient]);
    }
    this.convolutions.push({ conv, weight, bias });
  }
}

function convShape(node: Differentiated, N: number): Conv2dShape {
  const step = stepsOf(node, N)[0]!;
  if (isConv2d(step)) return step.shape;
  throw new TypeError('train: no convolution');
}
