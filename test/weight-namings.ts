/** State dicts as arrays, and the names that other frameworks give them. */

import type { TensorSource } from '../src/model/index.js';

export interface Tensor {
  readonly shape: number[];
  readonly data: Float32Array;
}

export type Tensors = Record<string, Tensor>;

/** Every tensor of a source, decoded. */
export function tensorsOf(source: TensorSource): Tensors {
  return Object.fromEntries(
    [...source.tensors].map(([name, { shape }]) => {
      const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
      source.readInto(data, name, 0);
      return [name, { shape: [...shape], data }];
    }),
  );
}

export function renameTensors(tensors: Tensors, rename: (name: string) => string): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, t]) => [rename(name), t]));
}

/** torchvision's name → that of `microsoft/resnet-50`. */
export function huggingFaceName(name: string): string {
  const [layer, variable] = split(name);
  if (layer === 'fc') return `classifier.1.${variable}`;
  if (layer === 'conv1') return `resnet.embedder.embedder.convolution.${variable}`;
  if (layer === 'bn1') return `resnet.embedder.embedder.normalization.${variable}`;
  const [stage, block, kind, i] = /layer(\d+)\.(\d+)\.([a-z]+)\.?(\d)$/.exec(layer)!.slice(1);
  const prefix = `resnet.encoder.stages.${Number(stage) - 1}.layers.${block}`;
  const norm = kind === 'bn' || (kind === 'downsample' && i === '1');
  const part = norm ? 'normalization' : 'convolution';
  return kind === 'downsample'
    ? `${prefix}.shortcut.${part}.${variable}`
    : `${prefix}.layer.${Number(i) - 1}.${part}.${variable}`;
}

const KERAS_BATCH_NORM: Record<string, string> = {
  weight: 'gamma',
  bias: 'beta',
  running_mean: 'moving_mean',
  running_var: 'moving_variance',
};

/** torchvision's name → Keras' layer and variable. */
export function kerasName(name: string): [layer: string, variable: string] {
  const [layer, variable] = split(name);
  const convVariable = variable === 'weight' ? 'kernel' : variable;
  if (layer === 'fc') return ['predictions', convVariable];
  if (layer === 'conv1') return ['conv1_conv', convVariable];
  if (layer === 'bn1') return ['conv1_bn', KERAS_BATCH_NORM[variable]!];
  const [stage, block, kind, i] = /layer(\d+)\.(\d+)\.([a-z]+)\.?(\d)$/.exec(layer)!.slice(1);
  const prefix = `conv${Number(stage) + 1}_block${Number(block) + 1}`;
  const norm = kind === 'bn' || (kind === 'downsample' && i === '1');
  const number = kind === 'downsample' ? 0 : i;
  return [
    `${prefix}_${number}_${norm ? 'bn' : 'conv'}`,
    norm ? KERAS_BATCH_NORM[variable]! : convVariable,
  ];
}

/** A state dict as Keras stores it: HWIO, [Cin, Cout]. */
export function toKeras(
  tensors: Tensors,
  join: (layer: string, variable: string) => string = (l, v) => `${l}/${v}`,
): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [
      join(...kerasName(name)),
      tensor.shape.length > 1 ? outputLast(tensor) : tensor,
    ]),
  );
}

/** OIHW → HWIO, [O, I] → [I, O]. */
function outputLast({ shape, data }: Tensor): Tensor {
  const [O, I, H = 1, W = 1] = shape as [number, number, number?, number?];
  const out = new Float32Array(data.length);
  for (let o = 0; o < O; o++) {
    for (let i = 0; i < I; i++) {
      for (let p = 0; p < H * W; p++) out[(p * I + i) * O + o] = data[(o * I + i) * H * W + p]!;
    }
  }
  return { shape: shape.length === 4 ? [H, W, I, O] : [I, O], data: out };
}

function split(name: string): [layer: string, variable: string] {
  const dot = name.lastIndexOf('.');
  return [name.slice(0, dot), name.slice(dot + 1)];
}
