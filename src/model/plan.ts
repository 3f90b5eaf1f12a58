/**
 * The plan of a forward pass: which step reads and writes which buffer, and where each buffer lies.
 * It is data, made before anything is allocated; a backend executes it.
 */

import { ShapeError } from '../errors.js';
import {
  type ArenaBuffer,
  conv2dShape,
  maxPoolShape,
  STATISTICS,
  type Statistic,
  type Step,
} from '../kernels/index.js';
import {
  type Architecture,
  type BlockSpec,
  type ConvolutionSpec,
  layersOf,
} from './architecture.js';
import { type Lifetime, placeBuffers } from './graph/arena.js';

/** A statistic of the columns at the end of a scale. */
export interface Tap {
  /** `conv1` or `layer1` … */
  readonly name: string;
  readonly statistic: Statistic;
  /** Buffer of the map [N, H, W]. */
  readonly map: number;
  readonly C: number;
  readonly H: number;
  readonly W: number;
}

export interface Plan {
  readonly N: number;
  readonly H: number;
  readonly W: number;
  readonly steps: readonly Step[];
  readonly buffers: readonly ArenaBuffer[];
  /** Buffers: the input [N, H, W, 3], the last stage's output [N, h, w, C] and the logits. */
  readonly input: number;
  readonly features: number;
  readonly logits: number;
  readonly featureShape: { readonly H: number; readonly W: number; readonly C: number };
  /**
   * Scale by scale, first to last, at each the statistics in the order given; empty when the plan was
   * made without taps.
   */
  readonly taps: readonly Tap[];
  readonly arenaBytes: number;
  /** Multiply–accumulates of the convolutions and the classifier. */
  readonly macs: number;
  /** Operations of SMOE Scale, all its taps and pictures. */
  readonly smoeOps: number;
}

export interface PlanOptions {
  /** Measure at the end of each scale (default). Without, the plan is the bare network. */
  readonly taps?: boolean;
  /** What is measured there: one statistic, by default `smoe`, or several in one pass. */
  readonly statistic?: Statistic | readonly Statistic[];
}

/**
 * Plans a forward pass of `architecture` over N pictures of H×W.
 *
 * SMOE Scale is fused into the convolution that ends a scale, and costs no step. Any other statistic is
 * a step that reads the convolution's output once. One that wants it before the ReLU splits that off:
 * convolution, statistic, ReLU in place, so that it costs time but no memory; SMOE Scale in the same
 * plan is then a step too.
 *
 * @throws {ShapeError} when N, H or W is not a whole number ≥ 1, or a statistic has an unknown name
 */
export function plan(
  architecture: Architecture,
  [N, H, W]: readonly [number, number, number],
  { taps = true, statistic = 'smoe' }: PlanOptions = {},
): Plan {
  for (const [name, value] of Object.entries({ N, H, W })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new ShapeError(`plan: ${name} expected a whole number ≥ 1, got ${value}`);
    }
  }
  const statistics = typeof statistic === 'string' ? [statistic] : statistic;
  const unknown = statistics.find((name) => !Object.hasOwn(STATISTICS, name));
  if (unknown !== undefined) {
    throw new ShapeError(
      `plan: statistic expected ${Object.keys(STATISTICS).join(', ')}, got ${unknown}`,
    );
  }
  const layers = layersOf(architecture);
  const draft = new Draft(N, taps ? statistics : []);
  const input = draft.image(H, W, 3);
  const stem = draft.convolution(layers.stem, input, { relu: true, tap: 'conv1' });
  let x = draft.maxPool(stem, 3, 2, 1);
  layers.stages.forEach((blocks, s) => {
    blocks.forEach((block, i) => {
      const tap = i === blocks.length - 1 ? `layer${s + 1}` : undefined;
      x = draft.residualBlock(block, x, tap);
    });
  });
  const features = x;
  const pooled = draft.globalAveragePool(x);
  const logits = draft.linear(layers.fc, pooled);
  return draft.finish(input, features, logits, [H, W]);
}

/** Operations of SMOE Scale of one picture at a tap, as the paper counts them (Table 6): (4C + 1)·H·W. */
export function smoeOps({ C, H, W }: Pick<Tap, 'C' | 'H' | 'W'>): number {
  return (4 * C + 1) * H * W;
}

/** An activation [N, H, W, C] in a buffer. */
interface Activation {
  readonly buffer: number;
  readonly H: number;
  readonly W: number;
  readonly C: number;
}

interface ConvolutionOptions {
  readonly relu: boolean;
  /** Adds this activation before the ReLU and overwrites it with the result. */
  readonly onto?: Activation | undefined;
  /** Name of the scale that ends here, with a ReLU. */
  readonly tap?: string | undefined;
}

/** The plan while it is made. Method by method the operators of the network. */
class Draft {
  readonly #N: number;
  /** What is measured at the end of each scale. */
  readonly #statistics: readonly Statistic[];
  readonly #steps: Step[] = [];
  readonly #lengths: number[] = [];
  readonly #taps: Tap[] = [];
  #macs = 0;
  #smoeOps = 0;

  constructor(N: number, statistics: readonly Statistic[]) {
    this.#N = N;
    this.#statistics = statistics;
  }

  image(H: number, W: number, C: number): Activation {
    return { buffer: this.#buffer(this.#N * H * W * C), H, W, C };
  }

  convolution(spec: ConvolutionSpec, x: Activation, options: ConvolutionOptions): Activation {
    const { Cin, Cout, kernel, stride, padding, groups } = spec;
    const shape = conv2dShape({
      N: this.#N,
      H: x.H,
      W: x.W,
      Cin,
      Cout,
      kH: kernel,
      kW: kernel,
      groups,
      strideY: stride,
      strideX: stride,
      padY: padding,
      padX: padding,
    });
    const { Hout, Wout } = shape;
    const { relu, onto, tap } = options;
    const out = onto ?? this.image(Hout, Wout, Cout);
    const taps = tap ? this.#statistics.map((statistic) => this.#tap(tap, statistic, out)) : [];
    const early = taps.filter(({ statistic }) => STATISTICS[statistic].preActivation);
    const isSplit = early.length > 0;
    const fused = isSplit ? undefined : taps.find(({ statistic }) => statistic === 'smoe');
    this.#steps.push({
      op: 'conv2d',
      weights: spec.name,
      shape,
      x: x.buffer,
      out: out.buffer,
      relu: relu && !isSplit,
      ...(onto && { residual: onto.buffer }),
      ...(fused && { smoe: fused.map }),
    });
    for (const { statistic, map } of early) this.#statistic(statistic, out, map);
    if (isSplit) this.#relu(out);
    const late = taps.filter((each) => each !== fused && !early.includes(each));
    for (const { statistic, map } of late) this.#statistic(statistic, out, map);
    this.#macs += (this.#N * Hout * Wout * Cout * kernel * kernel * Cin) / groups;
    return out;
  }

  maxPool(x: Activation, kernel: number, stride: number, padding: number): Activation {
    const shape = maxPoolShape({ N: this.#N, H: x.H, W: x.W, C: x.C, kernel, stride, padding });
    const out = this.image(shape.Hout, shape.Wout, x.C);
    this.#steps.push({ op: 'maxPool', shape, x: x.buffer, out: out.buffer });
    return out;
  }

  /** relu(branch(x) + shortcut(x)), the sum made in place of the shortcut. */
  residualBlock({ branch, downsample }: BlockSpec, x: Activation, tap?: string): Activation {
    const shortcut = downsample ? this.convolution(downsample, x, { relu: false }) : x;
    let y = x;
    branch.forEach((spec, i) => {
      const last = i === branch.length - 1;
      y = this.convolution(spec, y, last ? { relu: true, onto: shortcut, tap } : { relu: true });
    });
    return y;
  }

  globalAveragePool(x: Activation): Activation {
    const out = this.image(1, 1, x.C);
    this.#steps.push({
      op: 'globalAveragePool',
      N: this.#N,
      pixels: x.H * x.W,
      C: x.C,
      x: x.buffer,
      out: out.buffer,
    });
    return out;
  }

  linear(spec: { name: string; Cin: number; Cout: number }, x: Activation): Activation {
    const { name, Cin, Cout } = spec;
    const out = this.image(1, 1, Cout);
    const N = this.#N;
    this.#steps.push({ op: 'linear', weights: name, N, Cin, Cout, x: x.buffer, out: out.buffer });
    this.#macs += N * Cin * Cout;
    return out;
  }

  finish(
    input: Activation,
    features: Activation,
    logits: Activation,
    [H, W]: readonly [number, number],
  ): Plan {
    const kept = [features.buffer, logits.buffer, ...this.#taps.map((tap) => tap.map)];
    const buffers = placeBuffers(this.#lifetimes(kept));
    const end = Math.max(...buffers.map(({ offset, length }) => offset + length));
    return {
      N: this.#N,
      H,
      W,
      steps: this.#steps,
      buffers,
      input: input.buffer,
      features: features.buffer,
      logits: logits.buffer,
      featureShape: { H: features.H, W: features.W, C: features.C },
      taps: this.#taps,
      arenaBytes: end * Float32Array.BYTES_PER_ELEMENT,
      macs: this.#macs,
      smoeOps: this.#smoeOps,
    };
  }

  #buffer(length: number): number {
    return this.#lengths.push(length) - 1;
  }

  #tap(name: string, statistic: Statistic, { H, W, C }: Activation): Tap {
    const tap = { name, statistic, map: this.#buffer(this.#N * H * W), C, H, W };
    this.#taps.push(tap);
    if (statistic === 'smoe') this.#smoeOps += this.#N * smoeOps(tap);
    return tap;
  }

  #statistic(statistic: Statistic, { buffer: x, H, W, C }: Activation, out: number): void {
    this.#steps.push({ op: 'statistic', statistic, N: this.#N, pixels: H * W, C, x, out });
  }

  /** In place. */
  #relu({ buffer, H, W, C }: Activation): void {
    this.#steps.push({ op: 'relu', N: this.#N, pixels: H * W, C, x: buffer, out: buffer });
  }

  /** From the step that first touches a buffer to the last, or to the end for what is `kept`. */
  #lifetimes(kept: readonly number[]): Lifetime[] {
    return this.#lengths.map((length, buffer) => {
      const uses = this.#steps.flatMap((step, i) => (touches(step, buffer) ? [i] : []));
      const last = kept.includes(buffer) ? this.#steps.length : uses.at(-1)!;
      return { length, first: uses[0]!, last };
    });
  }
}

function touches(step: Step, buffer: number): boolean {
  return (
    step.x === buffer ||
    step.out === buffer ||
    (step.op === 'conv2d' && (step.residual === buffer || step.smoe === buffer))
  );
}
