/**
 * KAR and ROAR at the input (section 3.2 of the paper; S. Hooker et al., arXiv 1806.10758, for ROAR): pixels of the picture
 * are replaced by the mean color, 10 to 90 % of them, and the whole network is trained again. KAR keeps the most salient
 * pixels, ROAR removes them.
 *
 *   KAR = Σ accuracies        ROAR = −Σ accuracies        over the shares of pixels that are kept, or removed
 */

import type { Examples } from '../../train/index.js';
import { type FineTuning, fineTunedAccuracy, type Part } from './fine-tuning.js';
import { keptPixels, type Mode, maskColumns } from './masks.js';

/** Shares of the pixels that are kept (KAR) or removed (ROAR), as in the paper. */
export const FRACTIONS: readonly number[] = [0.1, 0.3, 0.5, 0.7, 0.9];

/** Inputs of the network, [H, W, channels], with a map of each. */
export interface MappedExamples extends Examples {
  /** [H, W] of input `i`: how salient its pixels are. */
  map(i: number): Float32Array;
}

/**
 * Trains the network on masked pictures.
 *
 * @param fraction of the pixels that are kept (KAR) or removed (ROAR)
 * @returns the accuracy on masked pictures
 */
export function accuracyAtInput(
  part: Part,
  sets: { readonly training: MappedExamples; readonly validation: MappedExamples },
  mode: Mode,
  fraction: number,
  options: FineTuning,
  seed: number,
): Promise<number> {
  const masked = (examples: MappedExamples) => maskedInputs(examples, part.size, mode, fraction);
  return fineTunedAccuracy(
    part,
    { training: masked(sets.training), validation: masked(sets.validation) },
    options,
    seed,
  );
}

/** The mean color is 0, because inputs are normalised. */
function maskedInputs(
  examples: MappedExamples,
  size: readonly [number, number],
  mode: Mode,
  fraction: number,
): Examples {
  const kept = mode === 'kar' ? fraction : 1 - fraction;
  return {
    length: examples.length,
    target: (i) => examples.target(i),
    read(out, i) {
      examples.read(out, i);
      maskColumns(out, keptPixels(examples.map(i), size, mode, kept));
    },
  };
}
