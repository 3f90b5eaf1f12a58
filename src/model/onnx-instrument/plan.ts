/** Plans what is written into a file: checks the target and the options against the file. */

import { ShapeError } from '../../errors.js';
import type { Statistic } from '../../kernels/operators.js';
import { type Layout, type OnnxCamMethod, pixelAxes } from './maps.js';
import type { DeclaredInput, ScannedModel } from './scan.js';

/** In these opsets the forms of all written operators are known. Later opsets may change them. */
const OPSETS = { first: 7, last: 28 } as const;

/** The values in the file to which saliency is attached, by their names. */
export interface InstrumentTarget {
  /** The graph's input, a picture. */
  readonly input: string;
  readonly inputLayout: Layout;
  /** Its height and width, if the file fixes them. */
  readonly size?: readonly [number, number];
  /** Where scales end, first to last. */
  readonly taps: readonly InstrumentTap[];
  /** [N, classes], or any shape with as many values. */
  readonly logits: string;
  /** The classifier, if it is linear in the means of its features. */
  readonly head?: InstrumentHead;
}

export interface InstrumentTap {
  readonly name: string;
  readonly layout: Layout;
  /** Whether it is never below 0; else it is clamped at 0 before it is measured. */
  readonly nonNegative: boolean;
}

export interface InstrumentHead {
  /** The features that are averaged, of four axes. */
  readonly features: string;
  readonly layout: Layout;
  /**
   * A constant: [classes, C], or [classes, C, 1, 1] for a convolution. Absent if the means are the logits, with
   * one channel for each class, as in SqueezeNet.
   */
  readonly weight?: string;
  /** Whether the weight is [C, classes]. */
  readonly transposed: boolean;
}

export interface InstrumentOptions {
  /** The statistic of the columns of each scale; one of `ONNX_STATISTICS`. Default: SMOE Scale. */
  readonly statistic?: Statistic;
  /** One weight for each tap, ≥ 0, with a positive sum. Default: equal weights. */
  readonly scaleWeights?: readonly number[];
  /** Default: Grad-CAM++ if the classifier is linear. */
  readonly cam?: OnnxCamMethod | 'none';
  /** Adds an input that chooses the class of each picture, int64 [N]. Default: the top class. */
  readonly classInput?: boolean;
  /** Height and width of the maps, if the file does not fix those of its input. Default: the input's. */
  readonly size?: readonly [number, number];
}

/** The checked plan. */
export interface WritePlan {
  readonly prefix: string;
  readonly names: OutputNames;
  readonly cam: OnnxCamMethod | 'none';
  readonly classInput: boolean;
  /** Weights of the taps, with sum 1. */
  readonly shares: readonly number[];
  readonly size: readonly [number, number] | undefined;
  /** The dimensions N, H, W of the maps: an extent, a Dimension message of the input, or unknown. */
  readonly dims: DeclaredInput['dims'];
}

export interface OutputNames {
  readonly saliency: string;
  readonly scales: readonly string[];
  readonly cam: string;
  readonly fastcam: string;
  readonly class: string;
}

export function planOf(
  model: ScannedModel,
  target: InstrumentTarget,
  options: InstrumentOptions,
): WritePlan {
  const { head, taps, inputLayout } = target;
  checkOpset(model);
  checkNames(model, target);
  const cam = options.cam ?? (head ? 'gradcam++' : 'none');
  const classInput = options.classInput ?? false;
  if (cam !== 'none' && !head) {
    throw new ShapeError(
      `cam: ${cam} expected a classifier that is linear in the means of its features`,
    );
  }
  if (classInput && cam === 'none') {
    throw new ShapeError('classInput: without a class activation map no class is to be chosen');
  }
  const size = sizeOf(target, options);
  const declared = model.inputs.get(target.input)!;
  const [H, W] = pixelAxes(inputLayout);
  return {
    prefix: freePrefix(model),
    names: namesFor(model, taps.length),
    cam,
    classInput,
    shares: sharesOf(options.scaleWeights ?? taps.map(() => 1), taps.length),
    size,
    dims: [declared.dims[0], size ? size[0] : declared.dims[H], size ? size[1] : declared.dims[W]],
  };
}

function checkOpset({ opset }: ScannedModel): void {
  if (opset >= OPSETS.first && opset <= OPSETS.last) return;
  throw new ShapeError(
    `instrument: expected a file of opset ${OPSETS.first} to ${OPSETS.last}, got ${opset}`,
  );
}

function checkNames(model: ScannedModel, { input, taps, logits, head }: InstrumentTarget): void {
  if (!model.inputs.has(input))
    throw new ShapeError(`instrument: ${input} is no input of the graph`);
  if (taps.length === 0) throw new ShapeError('taps: expected at least 1, got 0');
  const needed = [logits, ...taps.map(({ name }) => name), head?.features, head?.weight];
  for (const name of needed) {
    if (name === undefined || model.values.has(name)) continue;
    throw new ShapeError(`instrument: ${name} is no value of the graph`);
  }
}

function sizeOf(
  { size: fixed }: InstrumentTarget,
  { size }: InstrumentOptions,
): readonly [number, number] | undefined {
  if (!size || !fixed) return size ?? fixed;
  if (size[0] === fixed[0] && size[1] === fixed[1]) return fixed;
  throw new ShapeError(
    `size: the file takes inputs of ${fixed.join('×')} only, got ${size.join('×')}`,
  );
}

function sharesOf(weights: readonly number[], taps: number): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (weights.length !== taps) {
    throw new ShapeError(`scaleWeights: expected ${taps} for ${taps} taps, got ${weights.length}`);
  }
  if (!(weights.every((weight) => weight >= 0) && sum > 0 && Number.isFinite(sum))) {
    throw new ShapeError(
      `scaleWeights: expected finite numbers ≥ 0 of positive sum, got [${weights.join(', ')}]`,
    );
  }
  return weights.map((weight) => weight / sum);
}

/** Names of outputs that are not in the file yet. If one needs a number, all get the same number. */
function namesFor(model: ScannedModel, scales: number): OutputNames {
  for (let n = 0; ; n++) {
    const name = (base: string): string => (n === 0 ? base : `${base}_${n}`);
    const named = {
      saliency: name('saliency'),
      scales: Array.from({ length: scales }, (_, i) => name(`scale_${i}`)),
      cam: name('cam'),
      fastcam: name('fastcam'),
      class: name('class'),
    };
    if (
      !Object.values(named)
        .flat()
        .some((own) => model.names.has(own))
    )
      return named;
  }
}

/** A prefix with which no name of the file begins. */
function freePrefix({ names }: ScannedModel): string {
  const taken = new Set([...names].map((name) => /^fastcam(?:_\d+)?\//.exec(name)?.[0]));
  for (let n = 0; ; n++) {
    const prefix = n === 0 ? 'fastcam/' : `fastcam_${n}/`;
    if (!taken.has(prefix)) return prefix;
  }
}
