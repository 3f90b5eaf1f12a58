/**
 * The methods that are compared side by side, in the order in which they are shown: what needs one forward pass, class
 * activation maps, gradients, and gradients of many noisy inputs. The smoothed ones are rows of the paper's Table 2.
 */

import { CAM_METHODS, type CamMethod } from '../cam.js';
import {
  type AttributionMethod,
  GRADIENT_METHODS,
  type GradientMethod,
  type Smoothing,
} from './attribution.js';

/** What a method needs decides where it is shown. */
export type MethodGroup = 'forward' | 'cam' | 'gradient' | 'smoothed';

/** Titles of the groups, in order. */
export const METHOD_GROUPS: Readonly<Record<MethodGroup, string>> = {
  forward: 'One forward pass',
  cam: 'Class activation maps',
  gradient: 'Gradients',
  smoothed: 'Gradients of noisy inputs',
};

/** Titles of the methods. */
export const METHOD_TITLES: Readonly<Record<AttributionMethod, string>> = {
  gradient: 'Gradient',
  'input-x-gradient': 'Input × gradient',
  'guided-backprop': 'Guided Backprop',
  'guided-gradcam': 'Guided Grad-CAM',
  'integrated-gradients': 'Integrated Gradients',
  'gradcam++': 'Grad-CAM++',
  gradcam: 'Grad-CAM',
  xgradcam: 'XGrad-CAM',
  layercam: 'LayerCAM',
  hirescam: 'HiResCAM',
  bidicam: 'BiDiCAM',
};

export interface ComparedMethod {
  /** Such as `gradient`, or `gradient:vargrad` if it is smoothed. */
  readonly name: string;
  readonly title: string;
  readonly group: MethodGroup;
  /** `saliency` and `fastcam` come from `explain`, the others from `attribute`. */
  readonly method: 'saliency' | 'fastcam' | AttributionMethod;
  readonly smoothing: Smoothing;
}

const SMOOTHED: readonly (readonly [GradientMethod, Smoothing, string])[] = [
  ['gradient', 'smoothgrad-squared', 'SmoothGrad²'],
  ['guided-backprop', 'smoothgrad-squared', 'Guided, SmoothGrad²'],
  ['integrated-gradients', 'smoothgrad-squared', 'Integrated, SmoothGrad²'],
  ['gradient', 'vargrad', 'VarGrad'],
];

export const COMPARED_METHODS: readonly ComparedMethod[] = [
  { ...plain('forward', 'saliency'), title: 'SMOE Scale' },
  { ...plain('forward', 'fastcam'), title: 'FastCAM' },
  ...[...CAM_METHODS, 'bidicam' as const].map((name) => titled('cam', name)),
  ...GRADIENT_METHODS.map((name) => titled('gradient', name)),
  ...SMOOTHED.map(
    ([method, smoothing, title]): ComparedMethod => ({
      ...{ name: `${method}:${smoothing}`, title, group: 'smoothed', method, smoothing },
    }),
  ),
];

function titled(group: MethodGroup, method: CamMethod | GradientMethod | 'bidicam') {
  return { ...plain(group, method), title: METHOD_TITLES[method] };
}

function plain(group: MethodGroup, method: ComparedMethod['method']) {
  return { name: method, group, method, smoothing: 'none' as const };
}
