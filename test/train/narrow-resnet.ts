/** The narrow ResNet of test/goldens/training.py before it is trained: five classes, 10,000 weights. */

import type { TensorSource } from '../../src/model/index.js';
import { type Golden, loadGolden } from '../goldens.js';

export const trainingGolden: ReadonlyMap<string, Golden> = loadGolden('graph/training-resnet');

/** The tensors of the golden whose names begin with `prefix.`, under the rest of their names. */
export function tensorsOf(prefix: string): Map<string, Golden> {
  const own = [...trainingGolden].filter(([name]) => name.startsWith(`${prefix}.`));
  return new Map(own.map(([name, tensor]) => [name.slice(prefix.length + 1), tensor]));
}

export function sourceOf(tensors: ReadonlyMap<string, Golden>): TensorSource {
  return {
    name: 'golden',
    metadata: new Map(),
    tensors: new Map([...tensors].map(([name, { shape }]) => [name, { dtype: 'F32', shape }])),
    readInto(out, name, begin) {
      out.set(tensors.get(name)!.data.subarray(begin, begin + out.length));
    },
  };
}

export function narrowResNet(): TensorSource {
  return sourceOf(tensorsOf('before'));
}
