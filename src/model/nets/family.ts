/** What a family of networks is to the loader. */

import type { NetOptions } from '../formats/metadata.js';
import type { Naming } from '../formats/naming.js';
import type { TensorShape } from '../formats/tensor-source.js';
import type { Graph } from '../graph/node.js';
import type { NetBuilder } from './builder.js';

export interface Family {
  readonly name: string;
  /** Other namings than torchvision's. */
  readonly namings: readonly Naming[];
  /** Whether weights in torchvision's naming are of this family. */
  recognises(tensors: ReadonlyMap<string, TensorShape>): boolean;
  /**
   * @returns the network, and what there is to say of it beside its weights
   * @throws {FormatError} naming the tensor that is missing, unexpected or of a wrong shape
   */
  build(
    b: NetBuilder,
    options: NetOptions,
  ): { graph: Graph; facts: Readonly<Record<string, unknown>> };
}
