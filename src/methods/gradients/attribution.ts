/** The methods that need gradients: their names, options and results. */

import type { Region } from '../../image/index.js';
import type { Score } from '../../model/gradient/score.js';
import type { SaliencyMap } from '../../viz/index.js';
import { CAM_METHODS, type CamMethod } from '../cam.js';

/** Methods whose map has the resolution of the input. */
export type GradientMethod =
  | 'gradient'
  | 'input-x-gradient'
  | 'guided-backprop'
  | 'guided-gradcam'
  | 'integrated-gradients';

/** Class activation maps and BiDiCAM have the resolution of the values they are made from. */
export type AttributionMethod = GradientMethod | CamMethod | 'bidicam';

export const GRADIENT_METHODS: readonly GradientMethod[] = [
  'gradient',
  'input-x-gradient',
  'guided-backprop',
  'guided-gradcam',
  'integrated-gradients',
];

export const ATTRIBUTION_METHODS: readonly AttributionMethod[] = [
  ...GRADIENT_METHODS,
  ...CAM_METHODS,
  'bidicam',
];

export function isGradientMethod(method: AttributionMethod): method is GradientMethod {
  return (GRADIENT_METHODS as readonly string[]).includes(method);
}

/** Many gradients of noisy inputs as one: their mean, the mean of their squares, or their variance. */
export type Smoothing = 'none' | 'smoothgrad' | 'smoothgrad-squared' | 'vargrad';

export const SMOOTHINGS: readonly Smoothing[] = [
  'none',
  'smoothgrad',
  'smoothgrad-squared',
  'vargrad',
];

/** How the channels of an attribution become one number: largest |·|, sum of |·|, or sum of squares. */
export type ChannelReduction = 'largest' | 'sum' | 'squares';

/** Where integrated gradients begin, besides a tensor: zeros, the picture's mean color, the blurred picture. */
export type NamedBaseline = 'zero' | 'mean' | 'blurred';

export interface Attribution {
  readonly method: AttributionMethod;
  readonly smoothing: Smoothing;
  readonly score: Score;
  /** Indices of the classes that are explained. */
  readonly targets: readonly number[];
  /** [classes] */
  readonly logits: Float32Array;
  /** [H, W] of the network's input. Class activation maps and BiDiCAM are in [0, 1]; the others are as the formula says. */
  readonly map: SaliencyMap;
  /** [H, W, C]: with signs, for every channel of the input; of class activation maps and BiDiCAM the map, with C = 1. */
  readonly attribution: { readonly data: Float32Array; readonly shape: readonly number[] };
  /** The part of the picture that the network saw, in pixels of the picture. */
  readonly region: Region;
  /** Size of the picture. */
  readonly width: number;
  readonly height: number;
  /** Time of all passes and of the map. */
  readonly ms: number;
  /** Backward passes. A batch of N counts N times. */
  readonly passes: number;
  readonly bytes: {
    readonly weights: number;
    /** Arena, scratch and rearranged weights of the largest pass. */
    readonly pass: number;
  };
  /** Share of the forward pass's values that the backward pass kept; 1 if nothing was computed twice. */
  readonly keptShare: number;
}
