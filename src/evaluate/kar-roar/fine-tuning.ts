/** One experiment: the part of a network behind a value is trained on masked inputs, and tested on masked inputs. */

import type { Kernels } from '../../kernels/operators.js';
import { partBehind } from '../../model/graph/beginning-at.js';
import {
  Network,
  plan,
  type RecognizedNetwork,
  type TensorSource,
  topClass,
} from '../../model/index.js';
import { type Examples, type TrainOptions, train } from '../../train/index.js';

/** How a network is trained in each experiment. */
export type FineTuning = Omit<TrainOptions, 'kernels' | 'size' | 'seed' | 'from'>;

export interface Part {
  readonly network: RecognizedNetwork;
  readonly kernels: Kernels;
  /** Height and width of the pictures. */
  readonly size: readonly [H: number, W: number];
  /** Name of the value that the part begins at; absent: the whole network. */
  readonly from?: string;
}

/**
 * Trains the part, and gives its accuracy.
 *
 * @returns the share of the validation inputs whose class has the largest logit
 */
export async function fineTunedAccuracy(
  part: Part,
  sets: { readonly training: Examples; readonly validation: Examples },
  options: FineTuning,
  seed: number,
): Promise<number> {
  const { network, kernels, size, from } = part;
  const weights = await train(network, sets.training, {
    ...options,
    ...{ kernels, size, seed },
    ...(from !== undefined && { from }),
  });
  return accuracyOf(part, sets.validation, weights);
}

/**
 * The share of inputs whose class has the largest logit; of a single logit, whose sign is right.
 *
 * @param weights default: those of the network
 */
export function accuracyOf(
  { network, kernels, size, from }: Part,
  examples: Examples,
  weights: TensorSource = network.source,
): number {
  const net = new Network({ ...network, source: weights }, { kernels, precision: 'f32' });
  try {
    net.packAll();
    const pass = net.pass(`behind ${from}`, () => {
      const { graph, input } = partBehind(net.preparedAt(...size).graph, from, size, 'accuracy');
      return { plan: plan({ graph, ends: [] }, [1, input.H, input.W]) };
    });
    let right = 0;
    for (let i = 0; i < examples.length; i++) {
      examples.read(pass.input, i);
      pass.run();
      const { logits } = pass;
      const predicted = logits.length > 1 ? topClass(logits) : Number(logits[0]! > 0);
      if (predicted === examples.target(i)) right++;
    }
    return right / examples.length;
  } finally {
    net.dispose();
  }
}
