/** A family of networks, as the loader uses it. */

import type { Naming } from '../formats/naming.js';
import type { TensorShape } from '../formats/tensor-source.js';
import type { Graph } from '../graph/node.js';
import type { NetBuilder } from './builder.js';

export interface Family {
  readonly name: string;
  /** The namings of its weights, in the order in which they are tried. */
  readonly namings: readonly Naming[];
  /** Whether weights that have one of them are of this family. Default: yes. */
  recognises?(tensors: ReadonlyMap<string, TensorShape>): boolean;
  /**
   * @returns the network, and facts about it besides its weights
   * @throws {FormatError} with the name of the tensor that is missing, unexpected or of a wrong shape
   */
  build(b: NetBuilder): { graph: Graph; facts: Readonly<Record<string, unknown>> };
}
