/**
 * The plan of a forward pass: which step reads and writes which buffer, and where each buffer lies.
 * It is data, made before anything is allocated; a backend executes it.
 */

import { ShapeError } from '../errors.js';
import { type ArenaBuffer, conv2dShape, maxPoolShape, type Step } from '../kernels/index.js';
import {
  type Architecture,
  type BlockSpec,
  type ConvolutionSpec,
  layersOf,
} from './architecture.js';
import { type Lifetime, placeBuffers } from './arena.js';

/** The end of a scale, where SMOE Scale is taken. */
export interface Tap {
  /** `conv1` or `layer1` … */
  readonly name: string;
  /** Buffer of the map [N, H, W]. */
  readonly smoe: number;
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
  /** First to last; empty when the plan was made without taps. */
  readonly taps: readonly Tap[];
  readonly arenaBytes: number;
  /** Multiply–accumulates of the convolutions and the classifier. */
  readonly macs: number;
  /** Operations of SMOE Scale as the paper counts them (Table 6): (4C + 1)·H·W a tap and item. */
  readonly smoeOps: number;
}

export interface PlanOptions {
  /** Fuse SMOE Scale into the end of each scale (default). Without, the plan is the bare network. */
  readonly taps?: boolean;
}

/**
 * Plans a forward pass of `architecture` over N pictures of H×W.
 *
 * @throws {ShapeError} when N, H or W is not a whole number ≥ 1
 */
export function plan(
  architecture: Architecture,
  [N, H, W]: readonly [number, number, number],
  { taps = true }: PlanOptions = {},
): Plan {
  for (const [name, value] of Object.entries({ N, H, W })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new ShapeError(`plan: ${name} expected a whole number ≥ 1, got ${value}`);
    }
  }
  const layers = layersOf(architecture);
  const draft = new Draft(N, taps);
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
  /** Name of the scale that ends here. */
  readonly tap?: string | undefined;
}

/** The plan while it is made. Method by method the operators of the network. */
class Draft {
  readonly #N: number;
  readonly #withTaps: boolean;
  readonly #steps: Step[] = [];
  readonly #lengths: number[] = [];
  readonly #taps: Tap[] = [];
  #macs = 0;
  #smoeOps = 0;

  constructor(N: number, withTaps: boolean) {
    this.#N = N;
    this.#withTaps = withTaps;
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
    this.#steps.push({
      op: 'conv2d',
      weights: spec.name,
      shape,
      x: x.buffer,
      out: out.buffer,
      relu,
      ...(onto && { residual: onto.buffer }),
      ...(tap && this.#withTaps && { smoe: this.#tap(tap, out) }),
    });
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
    const kept = [features.buffer, logits.buffer, ...this.#taps.map((tap) => tap.smoe)];
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

  #tap(name: string, { H, W, C }: Activation): number {
    const smoe = this.#buffer(this.#N * H * W);
    this.#taps.push({ name, smoe, C, H, W });
    this.#smoeOps += this.#N * (4 * C + 1) * H * W;
    return smoe;
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
