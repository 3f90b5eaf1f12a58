/** What is to be written into a file: the target and the options, checked against it. */

import { ShapeError } from '../../errors.js';
import type { Statistic } from '../../kernels/operators.js';
import { type Layout, type OnnxCamMethod, pixelAxes } from './maps.js';
import type { DeclaredInput, ScannedModel } from './scan.js';

/** Of these the forms of all operators that are written are known: later opsets may change them. */
const OPSETS = { first: 7, last: 28 } as const;

/** What is written, and where it begins: names are those of values in the file. */
export interface InstrumentTarget {
  /** The graph's input, a picture. */
  readonly input: string;
  readonly inputLayout: Layout;
  /** Its height and width, where the file fixes them. */
  readonly size?: readonly [number, number];
  /** Where scales end, first to last. */
  readonly taps: readonly InstrumentTap[];
  /** [N, classes], in any shape of as many values. */
  readonly logits: string;
  /** The classifier, where it is linear in the means of its features. */
  readonly head?: InstrumentHead;
}

export interface InstrumentTap {
  readonly name: string;
  readonly layout: Layout;
  /** Whether it is nowhere below 0; else it is clamped at 0 before it is measured. */
  readonly nonNegative: boolean;
}

export interface InstrumentHead {
  /** What is averaged, of four axes. */
  readonly features: string;
  readonly layout: Layout;
  /**
   * A constant: [classes, C], or [classes, C, 1, 1] of a convolution. None where the means are the logits, each
   * channel a class, as SqueezeNet's.
   */
  readonly weight?: string;
  /** Whether the weight is [C, classes]. */
  readonly transposed: boolean;
}

export interface InstrumentOptions {
  /** Of the columns of each scale; one of `ONNX_STATISTICS`. Default: SMOE Scale. */
  readonly statistic?: Statistic;
  /** One for each tap, ≥ 0, of positive sum. Default: equal. */
  readonly scaleWeights?: readonly number[];
  /** Default: Grad-CAM++ where the classifier is linear. */
  readonly cam?: OnnxCamMethod | 'none';
  /** Adds an input that chooses the class of each picture, int64 [N]. Default: the top class. */
  readonly classInput?: boolean;
  /** Height and width of the maps, where the file does not fix those of its input. Default: the input's. */
  readonly size?: readonly [number, number];
}

/** What is written, checked. */
export interface WritePlan {
  readonly prefix: string;
  readonly names: OutputNames;
  readonly cam: OnnxCamMethod | 'none';
  readonly classInput: boolean;
  /** Of sum 1. */
  readonly shares: readonly number[];
  readonly size: readonly [number, number] | undefined;
  /** The dimensions N, H, W of the maps: an extent, a message of the input's, or neither. */
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

/** Names of outputs that the file has not: all of them with the same number behind, if any must have one. */
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

/** What no name of the file begins with. */
function freePrefix({ names }: ScannedModel): string {
  const taken = new Set([...names].map((name) => /^fastcam(?:_\d+)?\//.exec(name)?.[0]));
  for (let n = 0; ; n++) {
    const prefix = n === 0 ? 'fastcam/' : `fastcam_${n}/`;
    if (!taken.has(prefix)) return prefix;
  }
}
