/**
 * A forward and a backward pass, bound to memory. If everything that the backward pass reads fits into the budget, it
 * is kept; otherwise only some values are, and the rest is computed again from them: one more forward pass at most.
 */

import { ShapeError } from '../../errors.js';
import {
  type TransposedLayer,
  transposedBytes,
  transposedScratch,
} from '../../kernels/gradient/index.js';
import type { Kernels, PackedWeights } from '../../kernels/operators.js';
import { partBehind } from '../graph/beginning-at.js';
import { type Graph, shapesOf, type ValueShape, valueNamed } from '../graph/node.js';
import { type Plan, plan } from '../graph/plan.js';
import { cutValues } from '../graph/scale-ends.js';
import type { ExtraWeights, Network, Pass, PlannedPass } from '../network.js';
import { gradient } from './gradient.js';
import { isTransposed } from './rules/conv.js';
import { type Score, scoreOperator, type Targets } from './score.js';

export interface GradientRequest {
  readonly score: Score;
  readonly guided?: boolean;
  /** Names of the values with respect to which the score is differentiated; default: the input. */
  readonly at?: readonly string[];
  /**
   * Name of a value that all paths pass through. The pass then begins there: its input is that value, and what comes
   * before is not computed.
   */
  readonly from?: string;
}

/** A pass with its results; the views are valid until the network runs another pass. */
export interface GradientPass {
  readonly plan: Plan;
  /** [N, H, W, C]: fill it, then `run`. */
  readonly input: Float32Array;
  readonly logits: Float32Array;
  /** The classes of each picture; change them before `run`. None stands for the most likely class. */
  readonly targets: Targets[];
  /** The wanted values, and the gradients of the score with respect to them. */
  readonly values: readonly Float32Array[];
  readonly gradients: readonly Float32Array[];
  readonly shapes: readonly ValueShape[];
  /** Bytes of arena, scratch and rearranged weights. */
  readonly bytes: number;
  /** Share of the forward pass's values that are kept. 1 if nothing is computed twice. */
  readonly keptShare: number;
  run(): void;
  runStep(index: number): void;
}

/** What is remembered about the pass that a network holds. */
interface Made {
  readonly targets: Targets[];
  readonly keptShare: number;
}

const latest = new WeakMap<Network, Made>();

/**
 * Prepares the gradients of a score for N pictures of H×W, also if the pass begins at another value. Like
 * `Network.forward`, it keeps the latest pass.
 *
 * @throws {ShapeError} if an operator has no gradient, a name is unknown, the network has no classifier, or the pass
 * needs more than the budget
 */
export function gradientPass(
  net: Network,
  [N, H, W]: readonly [number, number, number],
  request: GradientRequest,
): GradientPass {
  const { at = [], score, guided = false, from } = request;
  const key = `∂ ${N} ${H} ${W} ${score} ${guided} ${from} ${at.join(' ')}`;
  let made: Made | undefined;
  const pass = net.pass(key, (fits) => {
    const { planned, ...rest } = plannedPass(net, [N, H, W], request, fits);
    made = rest;
    return planned;
  });
  // Not before: if the new pass is refused, the network still holds the one before it.
  if (made) latest.set(net, made);
  const { targets, keptShare } = latest.get(net)!;
  return results(pass, targets, keptShare);
}

function results(pass: Pass, targets: Targets[], keptShare: number): GradientPass {
  const { kept } = pass.plan;
  const half = kept.length / 2;
  const views = (values: Plan['kept']) => values.map(({ buffer }) => pass.buffer(buffer));
  return {
    plan: pass.plan,
    targets,
    keptShare,
    bytes: pass.bytes,
    shapes: kept.slice(0, half).map(({ shape }) => shape),
    get input() {
      return pass.input;
    },
    get logits() {
      return pass.logits;
    },
    get gradients() {
      return views(kept.slice(0, half));
    },
    get values() {
      return views(kept.slice(half));
    },
    run: () => pass.run(),
    runStep: (index) => pass.runStep(index),
  };
}

/**
 * What is kept for the backward pass: everything (0), or only the cut values that are so far apart. What is computed
 * again between two of them is in memory at the same time, so the least is in the middle.
 */
const DISTANCES = [0, 1, 2, 4, 8, 16] as const;

function plannedPass(
  net: Network,
  [N, H, W]: readonly [number, number, number],
  { at = [], score, guided = false, from }: GradientRequest,
  fits: (pass: PlannedPass) => boolean,
): Made & { readonly planned: PlannedPass } {
  const whole = net.preparedAt(H, W).graph;
  const { graph, input: extents } = partBehind(whole, from, [H, W], 'gradient');
  if (graph.classes === 0) throw new ShapeError('gradient: the network has no classifier');
  const shapes = shapesOf(graph, extents.H, extents.W);
  const targets: Targets[] = Array.from({ length: N }, () => []);
  const operator = scoreOperator(graph.classes, targets, score, net.activation);
  const wanted = at.length > 0 ? at.map((name) => valueNamed(graph, name)) : [0];
  const cuts = cutValues(graph);
  const make = (distance: number): PlannedPass => {
    const kept = new Set(cuts.filter((_, i) => i % Math.max(distance, 1) === 0));
    const keeps = (value: number): boolean => distance === 0 || kept.has(value);
    const both = gradient(graph, shapes, operator, wanted, { guided, keeps });
    const { gradients, values } = both;
    const tappable = { graph: both.graph, ends: [], kept: [...gradients, ...values] };
    const planned = plan(tappable, [N, extents.H, extents.W]);
    return { plan: planned, extra: extraWeights(net.kernels, both.graph) };
  };
  const plans = [];
  for (const distance of DISTANCES) {
    const planned = make(distance);
    const keptShare = distance === 0 ? 1 : Math.ceil(cuts.length / distance) / graph.nodes.length;
    plans.push({ planned, targets, keptShare });
    if (fits(planned)) return plans.at(-1)!;
  }
  // The smallest is refused, with the bytes that it needs.
  return plans.sort((a, b) => a.planned.plan.arenaBytes - b.planned.plan.arenaBytes)[0]!;
}

/** The rearranged weights of a backward pass. */
export function extraWeights(kernels: Kernels, { nodes }: Graph): ExtraWeights {
  const layers = new Map<string, { readonly own: string; readonly transposed: TransposedLayer }>();
  for (const { operator } of nodes) {
    if (isTransposed(operator)) layers.set(operator.layer, operator);
  }
  const all = [...layers.values()].map(({ transposed }) => transposed);
  let release = (): void => {};
  return {
    bytes: transposedBytes(kernels, all),
    make(packed) {
      const scratch = transposedScratch(kernels, all);
      release = () => scratch.release();
      const weights = new Map<string, PackedWeights>(packed);
      for (const [key, { own, transposed }] of layers) {
        weights.set(key, scratch.weightsOf(transposed, packed.get(own)!));
      }
      return weights;
    },
    release: () => release(),
  };
}
