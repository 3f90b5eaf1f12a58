/** What a family of networks is to the loader. */

import type { Naming } from '../formats/naming.js';
import type { TensorShape } from '../formats/tensor-source.js';
import type { Graph } from '../graph/node.js';
import type { NetBuilder } from './builder.js';

export interface Family {
  readonly name: string;
  /** The namings that its weights come in, in the order in which they are tried. */
  readonly namings: readonly Naming[];
  /** Whether weights that have one of them are of this family. Default: yes. */
  recognises?(tensors: ReadonlyMap<string, TensorShape>): boolean;
  /**
   * @returns the network, and what there is to say of it beside its weights
   * @throws {FormatError} naming the tensor that is missing, unexpected or of a wrong shape
   */
  build(b: NetBuilder): { graph: Graph; facts: Readonly<Record<string, unknown>> };
}
