import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/errors.js';
import { type ExplainingNetwork, networkOf } from '../../src/explain.js';
import { jsKernels, PRECISIONS } from '../../src/kernels/index.js';
import { parseSafetensors, type SafetensorsFile } from '../../src/model/index.js';
import { storedTensor } from '../../src/node/stored-tensor.js';
import { hashWeights, stateDictOf } from '../hash-weights.js';
import { BACKENDS } from '../kernels/backends.js';
import { encoded, type FileTensor, fileOf, storedTensors } from '../stored-weights.js';
import { kerasName } from '../weight-namings.js';

const SMALL = { depths: [1, 1, 1], width: 8, classes: 13 };
const SOURCE = hashWeights(stateDictOf(SMALL), 3);
const FEATURES = 4 * 32;

/** The network as int8, its classifier too, which fastcam itself keeps finer. */
const INT8 = [
  ...storedTensors(SOURCE, 'int8').filter(({ name }) => name !== 'fc.weight'),
  ...encoded(SOURCE, 'fc.weight', [13, FEATURES], 'int8'),
];

const parse = (tensors: readonly FileTensor[]): SafetensorsFile =>
  parseSafetensors(fileOf(tensors), 'file');

describe.each(BACKENDS)('whole numbers of a file on $name', async ({ make }) => {
  const kernels = await make();

  it('are kept exactly: in any precision a row is q·scale, as a product of float32', () => {
    const file = parse(INT8);
    const q = file.read('fc.weight');
    const scales = file.read('fc.weight_scale');
    const row = new Float32Array(FEATURES);
    for (const precision of PRECISIONS) {
      const net = networkOf(file, { kernels, precision });
      for (let oc = 0; oc < 13; oc++) {
        net.classWeights(row, oc);
        const expected = q
          .subarray(oc * FEATURES, (oc + 1) * FEATURES)
          .map((v) => Math.fround(v * scales[oc]!));
        expect(row).toEqual(expected);
      }
    }
  });

  it('are the same bytes as the weights encoded in memory', () => {
    // One layer, exact and from a file. Rows differ by the rounding of their scales, never by a step.
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, min: Math.fround(-9), max: 9 }), {
          minLength: 24,
          maxLength: 24,
        }),
        (values) => {
          const x = Float32Array.from(values);
          const { encode } = storedTensor('int8', [2, 12]);
          const bytes = new Uint8Array(24);
          const scales = Float32Array.of(1, 1);
          encode(bytes, x, scales);
          const weights = {
            length: 24,
            read: (out: Float32Array, begin: number) =>
              out.set(x.subarray(begin, begin + out.length)),
            refuse: (element: number) => expect.fail(`element ${element}`),
            bias: new Float32Array(2),
            precision: 'int8' as const,
          };
          const packed = kernels.packConv2d({ Cin: 12, Cout: 2, kH: 1, kW: 1, groups: 1 }, weights);
          const row = new Float32Array(12);
          for (let oc = 0; oc < 2; oc++) {
            packed.row(row, oc);
            const q = new Int8Array(bytes.buffer, oc * 12, 12);
            q.forEach((v, i) => {
              expect(Math.round(row[i]! / (scales[oc]! || 1))).toBeCloseTo(v, 9);
              expect(Math.abs(row[i]! - v * scales[oc]!)).toBeLessThanOrEqual(
                Math.abs(row[i]!) * 2 ** -22,
              );
            });
          }
        },
      ),
    );
  });
});

describe('scales in a file', () => {
  const load = (tensors: readonly FileTensor[]): ExplainingNetwork =>
    networkOf(parse(tensors), { kernels: jsKernels() });
  const without = (name: string): FileTensor[] => INT8.filter((tensor) => tensor.name !== name);
  const replaced = (name: string, change: Partial<FileTensor>): FileTensor[] =>
    INT8.map((tensor) => (tensor.name === name ? { ...tensor, ...change } : tensor));

  it('are named after the tensor that they scale, in every naming', () => {
    const expected = load(INT8);
    const prefixed = INT8.map((tensor) => ({ ...tensor, name: `module.${tensor.name}` }));
    const net = load(prefixed);
    expect(net.precision).toBe('int8');
    const [a, b] = [expected, net].map((n) => {
      const row = new Float32Array(FEATURES);
      n.classWeights(row, 3);
      return row;
    });
    expect(b).toEqual(a);
    // Keras' classifier is [Cin, Cout]: its columns are scaled.
    const keras = INT8.map(({ name, shape, bytes, ...rest }) => {
      const [, base = name, scale = ''] = /^(.*?)(_scale)?$/.exec(name)!;
      const [layer, variable] = kerasName(base);
      const rank = shape.length;
      const size = bytes.length / shape.reduce((x, y) => x * y, 1);
      return {
        ...rest,
        name: `${layer}/${variable}${scale}`,
        shape: rank === 4 ? [2, 3, 1, 0].map((d) => shape[d]!) : [...shape].reverse(),
        bytes: rank > 1 ? outputLast(bytes, shape, size) : bytes,
      };
    });
    const row = new Float32Array(FEATURES);
    load(keras).classWeights(row, 3);
    expect(row).toEqual(a);
  });

  it.each<[string, () => readonly FileTensor[], string]>([
    [
      'whole numbers without scales',
      () => without('layer3.0.conv2.weight_scale'),
      'file: tensor layer3.0.conv2.weight_scale is missing, and layer3.0.conv2.weight is of I8',
    ],
    [
      'scales without whole numbers',
      () => replaced('fc.weight', { dtype: 'F32', bytes: new Uint8Array(4 * 13 * FEATURES) }),
      'file: 1 unexpected tensors, the first is fc.weight_scale',
    ],
    [
      'scales of another shape',
      () => replaced('fc.weight_scale', { shape: [13, 1] }),
      'file: tensor fc.weight_scale expected [13], got [13,1]',
    ],
    [
      'scales of whole numbers',
      () => replaced('fc.weight_scale', { dtype: 'I8', bytes: new Uint8Array(13) }),
      'file: tensor fc.weight_scale has dtype I8, expected F32, F16, BF16 or F64',
    ],
    [
      'a batch norm of whole numbers',
      () => replaced('bn1.weight', { dtype: 'I8', bytes: new Uint8Array(8) }),
      'file: tensor bn1.weight has dtype I8, expected F32, F16, BF16 or F64',
    ],
    [
      'a scale that is not finite',
      () =>
        replaced('fc.weight_scale', {
          bytes: new Uint8Array(new Float32Array(13).fill(Number.NaN, 5).buffer),
        }),
      'file: tensor fc.weight_scale has NaN at element 5',
    ],
  ])('are refused: %s', (_, tensors, message) => {
    expect(() => load(tensors())).toThrow(FormatError);
    expect(() => load(tensors())).toThrow(message);
  });
});

/** OIHW → HWIO, [O, I] → [I, O], of elements of any size. */
function outputLast(bytes: Uint8Array, shape: readonly number[], size: number): Uint8Array {
  const [O, I, H = 1, W = 1] = shape as [number, number, number?, number?];
  const out = new Uint8Array(bytes.length);
  for (let o = 0; o < O; o++) {
    for (let i = 0; i < I; i++) {
      for (let p = 0; p < H * W; p++) {
        const from = size * ((o * I + i) * H * W + p);
        out.set(bytes.subarray(from, from + size), size * ((p * I + i) * O + o));
      }
    }
  }
  return out;
}
