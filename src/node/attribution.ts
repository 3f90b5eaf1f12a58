/** Methods that need gradients, for picture files: their options, and what a report says about them. */

import type { FloatTensor } from '../explain.js';
import type { AttributeOptions, Attribution } from '../gradients.js';
import type { Picture } from '../image/picture.js';
import type { Model } from './model-file.js';

/**
 * A method and its options. The input is the one that is explained, and so is the class if none is named. Plain data,
 * so that it can be sent to another thread.
 */
export type AttributionOptions = Omit<
  AttributeOptions,
  'fit' | 'size' | 'now' | 'onProgress' | 'signal'
>;

/** Options that many methods have in common. */
export type PassOptions = Pick<
  AttributionOptions,
  'score' | 'steps' | 'baseline' | 'samples' | 'noise' | 'seed'
>;

/** What a report says about an attribution. */
export interface ReportedAttribution
  extends Pick<Attribution, 'method' | 'smoothing' | 'score' | 'passes' | 'keptShare' | 'bytes'> {
  /** The explained classes. */
  readonly targets: readonly { readonly index: number; readonly label: string }[];
  /** Time of all passes and of the map. */
  readonly ms: number;
}

/** The options of one run that the method shares with the explanation. */
export type SharedOptions = Pick<
  AttributeOptions,
  'fit' | 'size' | 'target' | 'onProgress' | 'signal'
>;

/** Explains a picture, or a tensor of one, by a method that needs gradients. @throws {ShapeError} as `attribute` */
export async function attributePicture(
  { net }: Pick<Model, 'net'>,
  image: Picture | FloatTensor,
  options: AttributionOptions,
  shared: SharedOptions,
): Promise<Attribution> {
  const { attribute } = await import('../gradients.js');
  return attribute(net, image, { now: () => performance.now(), ...shared, ...options });
}

export function reportAttribution(
  { method, smoothing, score, targets, ms, passes, keptShare, bytes }: Attribution,
  { net }: Pick<Model, 'net'>,
): ReportedAttribution {
  return {
    method,
    smoothing,
    score,
    targets: targets.map((index) => ({ index, label: net.labels[index]! })),
    ms: Math.round(ms * 1000) / 1000,
    passes,
    keptShare,
    bytes,
  };
}
