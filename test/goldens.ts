/** Reference outputs of the authors' code; test/goldens/README.md tells how they were made. */

import { readFileSync } from 'node:fs';
import { parseSafetensors, type SafetensorsFile } from '../src/model/formats/safetensors.js';
import type { TensorSource } from '../src/model/index.js';

export interface Golden {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Uint8Array;
}

/** Every array of `test/goldens/<name>.safetensors`, at the precision it is stored in. */
export function loadGolden(name: string): Map<string, Golden> {
  const url = new URL(`./goldens/${name}.safetensors`, import.meta.url);
  const file = parseSafetensors(readFileSync(url), name);
  const arrays = new Map<string, Golden>();
  for (const [key, { dtype, shape }] of file.tensors) {
    const bytes = file.bytes(key).slice();
    const data =
      dtype === 'U8'
        ? bytes
        : dtype === 'F64'
          ? new Float64Array(bytes.buffer)
          : new Float32Array(bytes.buffer);
    arrays.set(key, { shape, data });
  }
  return arrays;
}

/** The weights of a network of goldens/graph. */
export function goldenWeights(name: string): SafetensorsFile {
  const url = new URL(`./goldens/graph/${name}.weights.safetensors`, import.meta.url);
  return parseSafetensors(readFileSync(url), name);
}

/** The input of a network of goldens/graph: `hashImage` of the salt, in that shape. */
export function goldenInput(name: string): {
  readonly shape: readonly [number, number, number, number];
  readonly salt: number;
} {
  const url = new URL(`./goldens/${name}.safetensors`, import.meta.url);
  const { metadata } = parseSafetensors(readFileSync(url), name);
  const salt = Number(/salt (\d+)$/.exec(metadata.get('recipe')!)![1]);
  return { shape: JSON.parse(metadata.get('input')!), salt };
}

/** A network of test/goldens/oracle.py: its weights, and what PyTorch makes of `x`. */
export function loadOracle(name: string) {
  const url = new URL(`./goldens/graph/oracle-${name}.safetensors`, import.meta.url);
  const file = parseSafetensors(readFileSync(url), name);
  const shape = file.tensors.get('x')!.shape as [number, number, number, number];
  const weights = without(file, ['x', 'logits']);
  return { weights, x: { data: file.read('x'), shape }, logits: file.read('logits') };
}

/** The source without some of its tensors. */
export function without(source: TensorSource, names: readonly string[]): TensorSource {
  const tensors = new Map([...source.tensors].filter(([name]) => !names.includes(name)));
  return { ...source, tensors };
}
