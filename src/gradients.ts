/**
 * `fastcam/gradients`: the methods that need a backward pass, and class activation maps of networks whose classifier
 * is not linear. `fastcam` alone does not contain it.
 */

import type { ExplainingNetwork, ExplainOptions, FloatTensor } from './explain.js';
import type { Picture } from './image/index.js';
import type {
  Attribution,
  AttributionMethod,
  ChannelReduction,
  NamedBaseline,
  Smoothing,
} from './methods/gradients/attribution.js';
import type { Score } from './model/gradient/score.js';
import type { Network } from './model/index.js';

export interface AttributeOptions extends Pick<ExplainOptions, 'fit' | 'size' | 'now'> {
  /** Default `gradient`. */
  readonly method?: AttributionMethod;
  /** Default `none`. */
  readonly smoothing?: Smoothing;
  /** The class to explain: the most likely one (default), an index or a name; or several, whose scores are added. */
  readonly target?: 'top' | number | string | readonly (number | string)[];
  /** What is differentiated; default `logit`, for a single logit `two-sided`. */
  readonly score?: Score;
  /** Steps of integrated gradients; default 20. */
  readonly steps?: number;
  /** Where integrated gradients begin; default `zero`, in the units of the normalised input. */
  readonly baseline?: NamedBaseline | FloatTensor;
  /** Noisy inputs of a smoothing; default 15. */
  readonly samples?: number;
  /** Standard deviation of the noise, as a share of the input's range; default 0.15. */
  readonly noise?: number;
  /** Seed of the noise; the same seed gives the same bits. Default 0. */
  readonly seed?: number;
  /** Default `largest`; for `smoothgrad-squared` and `vargrad` `sum`. */
  readonly reduction?: ChannelReduction;
  /** For class activation maps: names of the values, or one; the maps of several are averaged. Default: the last scale. */
  readonly at?: string | readonly string[];
  /** Called with the share of the passes that is done. */
  readonly onProgress?: (done: number) => void;
  /** Such as an `AbortSignal`: stops between two passes, and throws the abort reason. */
  readonly signal?: { throwIfAborted(): void };
}

/** A network with methods that need gradients. */
export interface GradientNetwork extends ExplainingNetwork {
  /** See the function `attribute`. */
  attribute(image: Picture | FloatTensor, options?: AttributeOptions): Attribution;
}

/** Explains one picture by a method that needs gradients. */
export declare function attribute(
  net: Network,
  image: Picture | FloatTensor,
  options?: AttributeOptions,
): Attribution;

/** Adds `attribute` to a network, and lets `explain` make class activation maps of any classifier. */
export declare function withGradients<Net extends ExplainingNetwork>(
  net: Net,
): Net & GradientNetwork;

/** An attribution as a picture [height, width] in [0, 1]: clipped at its 99th percentile, range-normalised, upsampled. */
export declare function attributionMap(
  attribution: Attribution,
  size?: { readonly width: number; readonly height: number },
): Attribution['map'];
