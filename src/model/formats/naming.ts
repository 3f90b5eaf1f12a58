/**
 * The namings that ResNets' weights come in, each presented as torchvision's.
 *
 *   torchvision, timm   conv1.weight                        layer1.0.conv2.weight
 *                       bn1.running_mean                    layer1.0.downsample.0.weight      fc.weight
 *   Hugging Face        resnet.embedder.embedder.convolution.weight
 *                       resnet.encoder.stages.0.layers.0.layer.1.convolution.weight   classifier.1.weight
 *   Keras               conv1_conv/kernel                   conv2_block1_2_conv/kernel
 *                       conv1_bn/moving_mean                conv2_block1_0_conv/kernel        predictions/kernel
 *
 * Keras writes `/` or `.` between layer and variable, sometimes the layer twice, sometimes `:0` behind.
 * Its kernels are HWIO and its classifier [Cin, Cout]; they are read as the transposed tensors that they
 * are. What a naming implies and the weights do not show (where blocks stride, eps, preprocessing) is
 * added to the metadata, where the file itself does not say otherwise.
 *
 * Sources: torchvision/models/resnet.py; transformers/models/resnet/modeling_resnet.py;
 * keras/src/applications/resnet.py.
 */

import { FormatError } from '../../errors.js';
import { CAFFE_PREPROCESSING } from '../../image/preprocess.js';
import { metadataObject } from './metadata.js';
import { gather, keepLatest, rowMajorStrides, type Strided } from './strides.js';
import {
  scaledName,
  scaleName,
  sizeOf,
  type TensorShape,
  type TensorSource,
} from './tensor-source.js';

interface Naming {
  /** Keys that give it away. */
  readonly recognises: RegExp;
  /** torchvision's name of a tensor; the tensor's own where torchvision has none. */
  torchvisionName(key: string): string;
  /** By rank: which of the file's dimensions is torchvision's dimension d. Default: all as they are. */
  readonly axes?: Readonly<Record<number, readonly number[]>>;
  /** What the metadata says unless the file does. */
  readonly implied?: Readonly<Record<string, object>>;
}

const HUGGING_FACE: Naming = {
  recognises: /^(?:resnet\.)?embedder\.embedder\.convolution\.weight$/,
  torchvisionName(key) {
    const parts: Record<string, string> = { convolution: 'conv', normalization: 'bn' };
    const shortcutParts: Record<string, string> = { convolution: '0', normalization: '1' };
    return key
      .replace(/^resnet\./, '')
      .replace(
        /^embedder\.embedder\.(convolution|normalization)\./,
        (_, part) => `${parts[part]}1.`,
      )
      .replace(
        /^encoder\.stages\.(\d+)\.layers\.(\d+)\.layer\.(\d+)\.(convolution|normalization)\./,
        (_, s, block, i, part) => `layer${Number(s) + 1}.${block}.${parts[part]}${Number(i) + 1}.`,
      )
      .replace(
        /^encoder\.stages\.(\d+)\.layers\.(\d+)\.shortcut\.(convolution|normalization)\./,
        (_, s, block, part) => `layer${Number(s) + 1}.${block}.downsample.${shortcutParts[part]}.`,
      )
      .replace(/^classifier\.1\./, 'fc.');
  },
};

const KERAS_VARIABLES: Readonly<Record<string, string>> = {
  kernel: 'weight',
  bias: 'bias',
  gamma: 'weight',
  beta: 'bias',
  moving_mean: 'running_mean',
  moving_variance: 'running_var',
};

const KERAS: Naming = {
  recognises: /^conv1_conv[/.]/,
  torchvisionName(key) {
    const [, layer, variable] = /^(\w+)[/.](?:\1[/.])?(\w+)(?::0)?$/.exec(key) ?? [];
    const part = Object.hasOwn(KERAS_VARIABLES, variable ?? '') && KERAS_VARIABLES[variable!];
    const name = kerasLayer(layer ?? '');
    return part && name !== undefined ? `${name}.${part}` : key;
  },
  axes: { 4: [3, 2, 0, 1], 2: [1, 0] },
  implied: {
    architecture: { strideOn: '1x1', batchNormEps: 1.001e-5 },
    preprocessing: CAFFE_PREPROCESSING,
  },
};

/** conv1_bn → bn1; conv2_block1_3_conv → layer1.0.conv3, where 0 in place of 3 is the shortcut. */
function kerasLayer(layer: string): string | undefined {
  if (layer === 'predictions') return 'fc';
  const [, stem, part] = /^(conv1)_(conv|bn)$/.exec(layer) ?? [];
  if (stem !== undefined) return `${part}1`;
  const [, stage, block, i, kind] = /^conv(\d+)_block(\d+)_(\d)_(conv|bn)$/.exec(layer) ?? [];
  if (stage === undefined) return undefined;
  const prefix = `layer${Number(stage) - 1}.${Number(block) - 1}`;
  return i === '0' ? `${prefix}.downsample.${kind === 'conv' ? 0 : 1}` : `${prefix}.${kind}${i}`;
}

const NAMINGS: readonly Naming[] = [HUGGING_FACE, KERAS];

/** Relatives of a ResNet that would be taken for one, by a key that only they have. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^conv1\.0\.weight$/, 'a deep stem, of three 3×3 convolutions, as timm’s resnet…d has it'],
  [
    /^(?:conv\d+_block\d+_preact_bn|post_bn)[/.]/,
    'a ResNet V2, with batch norm before convolution',
  ],
];

/** What `DataParallel` puts before every key. */
const PREFIX = 'module.';

/**
 * The weights in torchvision's naming, and the metadata that theirs implies. A source in torchvision's
 * naming, or in none that is known, is returned as it is.
 *
 * @throws {FormatError} naming the tensor, for a network of another kind, and for two tensors that
 * would have the same name
 */
export function asTorchvision<T extends TensorShape>(source: TensorSource<T>): TensorSource<T> {
  const bare = [...source.tensors.keys()].every((key) => key.startsWith(PREFIX))
    ? renamed(source, { recognises: /^/, torchvisionName: (key) => key.slice(PREFIX.length) })
    : source;
  const keys = [...bare.tensors.keys()];
  for (const [pattern, what] of REFUSED) {
    const key = keys.find((k) => pattern.test(k));
    if (key !== undefined) {
      throw new FormatError(`${source.name}: tensor ${key} is that of ${what}: not supported`);
    }
  }
  const naming = NAMINGS.find(({ recognises }) => keys.some((key) => recognises.test(key)));
  return naming === undefined ? bare : renamed(bare, naming);
}

interface Renamed {
  readonly key: string;
  /** Where the file has the dimensions in another order. */
  readonly transposed?: Strided;
}

function renamed<T extends TensorShape>(source: TensorSource<T>, naming: Naming): TensorSource<T> {
  const tensors = new Map<string, T & Renamed>();
  for (const [key, info] of source.tensors) {
    // Scales go by the name of what they scale.
    const scaled = scaledName(key);
    const name =
      scaled !== undefined && source.tensors.has(scaled)
        ? scaleName(naming.torchvisionName(scaled))
        : naming.torchvisionName(key);
    const other = tensors.get(name);
    if (other) {
      throw new FormatError(
        `${source.name}: tensors ${other.key} and ${key} are both ${name} in torchvision's naming`,
      );
    }
    const axes = naming.axes?.[info.shape.length];
    const strided = axes && transpose(info.shape, axes);
    const order = strided && { shape: strided.shape, transposed: strided };
    tensors.set(name, { ...info, key, ...order });
  }
  // A window of a transposed tensor lies all over the file's.
  const decode = keepLatest((key) => {
    const x = new Float32Array(sizeOf(source.tensors.get(key)!.shape));
    source.readInto(x, key, 0);
    return x;
  });
  return {
    name: source.name,
    metadata: withImplied(source, naming.implied ?? {}),
    tensors,
    readInto(out, tensor, begin) {
      const found = tensors.get(tensor);
      if (!found) throw new FormatError(`${source.name}: tensor ${tensor} is missing`);
      const { key, transposed: strided } = found;
      if (!strided) return source.readInto(out, key, begin);
      if (begin + out.length > sizeOf(strided.shape)) {
        throw new FormatError(
          `${source.name}: tensor ${key} [${strided.shape}] has no elements ${begin}…${begin + out.length}`,
        );
      }
      gather(out, decode(key), strided, begin);
    },
  };
}

function transpose(shape: readonly number[], axes: readonly number[]): Strided {
  const strides = rowMajorStrides(shape);
  return {
    shape: axes.map((axis) => shape[axis]!),
    strides: axes.map((axis) => strides[axis]!),
    offset: 0,
  };
}

function withImplied(
  source: TensorSource,
  implied: Readonly<Record<string, object>>,
): ReadonlyMap<string, string> {
  const metadata = new Map(source.metadata);
  for (const [key, values] of Object.entries(implied)) {
    metadata.set(key, JSON.stringify({ ...values, ...metadataObject(source, key) }));
  }
  return metadata;
}
