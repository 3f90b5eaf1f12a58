/** The picture: [H, W, C]. */

import type { Graph, Operator } from '../node.js';

export interface Input extends Operator {
  readonly kind: 'input';
  readonly C: number;
}

export function input(C: number): Input {
  return { kind: 'input', C, shape: ([picture]) => ({ ...picture!, C }), steps: () => [] };
}

/** Channels of the pictures that a network takes. Its first node is the input. */
export function inputChannels({ nodes }: Graph): number {
  return (nodes[0]!.operator as Input).C;
}
