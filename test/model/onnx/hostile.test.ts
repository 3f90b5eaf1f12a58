/** Files of a few bytes that demand much memory or time: each is refused at once, with the reason. */

import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/errors.js';
import { onnxNetwork } from '../../../src/model/onnx/network.js';
import { cpuMs } from '../../cpu-time.js';
import { type Constant, type FileSpec, type NodeSpec, onnxFile } from './files.js';

/** Adds a constant of the name `big` to the picture and ends in logits. */
function behind(...nodes: readonly NodeSpec[]): FileSpec['nodes'] {
  return [
    ...nodes,
    { op: 'Add', inputs: ['x', 'big'] },
    { op: 'GlobalAveragePool', inputs: [`add${nodes.length + 1}`] },
  ];
}

const MANY = 2 ** 20;
const float = (...dims: number[]): Constant => ({
  dims,
  values: new Array<number>(dims.reduce((a, b) => a * b, 1)).fill(1),
});
/** A chain of nodes: the first reads `begin`, the last makes `big`. */
function chain(length: number, begin: string, make: (from: string) => NodeSpec): NodeSpec[] {
  return Array.from({ length }, (_, i) => ({
    ...make(i === 0 ? begin : `c${i}`),
    outputs: [i === length - 1 ? 'big' : `c${i + 1}`],
  }));
}

const FILES: Readonly<Record<string, FileSpec>> = {
  'constants that double and double': {
    constants: { one: float(1) },
    nodes: behind(
      ...chain(60, 'one', (c) => ({ op: 'Concat', inputs: [c, c], attributes: { axis: 0 } })),
    ),
  },
  'sums of constants that are as large as they may be': {
    constants: { shape: [2 ** 26] },
    nodes: behind(
      { op: 'ConstantOfShape', inputs: ['shape'], outputs: ['full'] },
      ...chain(1000, 'full', (c) => ({ op: 'Add', inputs: [c, 'full'] })),
    ),
  },
  'a constant summed up again and again': {
    constants: { shape: [2 ** 26] },
    nodes: behind(
      { op: 'ConstantOfShape', inputs: ['shape'], outputs: ['full'] },
      ...Array.from({ length: 1000 }, (_, i) => ({
        op: 'ReduceSum',
        inputs: ['full'],
        outputs: [`s${i}`],
      })),
      { op: 'Sum', inputs: Array.from({ length: 1000 }, (_, i) => `s${i}`), outputs: ['big'] },
    ),
  },
  'a constant expanded beyond what fits': {
    constants: { one: float(1), shape: [2 ** 20, 2 ** 20] },
    nodes: behind({ op: 'Expand', inputs: ['one', 'shape'], outputs: ['big'] }),
  },
  'a range without an end': {
    constants: { zero: { dims: [], values: [0] }, end: { dims: [], values: [Infinity] } },
    nodes: behind({ op: 'Range', inputs: ['zero', 'end', 'zero'], outputs: ['big'] }),
  },
  'a million new dimensions': {
    constants: { one: float(1) },
    nodes: behind({
      op: 'Unsqueeze',
      inputs: ['one'],
      outputs: ['big'],
      attributes: { axes: [...new Array<number>(MANY).keys()] },
    }),
  },
  'dimensions that are added one by one': {
    constants: { one: float(1), axes: [...new Array<number>(60).keys()] },
    nodes: behind(...chain(30, 'one', (c) => ({ op: 'Unsqueeze', inputs: [c, 'axes'] }))),
  },
  'a permutation of a million dimensions': {
    nodes: [
      { op: 'Transpose', inputs: ['x'], attributes: { perm: new Array<number>(MANY).fill(0) } },
    ],
  },
  'constants that are turned round without an end': {
    constants: { w: float(2, 3) },
    nodes: behind(
      ...chain(20_000, 'w', (c) => ({
        op: 'Transpose',
        inputs: [c],
        attributes: { perm: [1, 0] },
      })),
    ),
  },
  'scales upon scales': {
    constants: { w: { dims: [4], values: [1, 2, 3, 4], type: 3 }, scale: float(1) },
    nodes: behind(...chain(20_000, 'w', (c) => ({ op: 'DequantizeLinear', inputs: [c, 'scale'] }))),
  },
  'an empty constant of many rows, from which many more are taken': {
    constants: { empty: { dims: [2 ** 26, 0] }, shape: [2 ** 26] },
    nodes: behind(
      { op: 'ConstantOfShape', inputs: ['shape'], outputs: ['indices'] },
      { op: 'Cast', inputs: ['indices'], outputs: ['whole'], attributes: { to: 7 } },
      { op: 'Gather', inputs: ['empty', 'whole'], outputs: ['big'], attributes: { axis: 1 } },
    ),
  },
  'empty constants beside one another': {
    constants: { empty: { dims: [2 ** 26, 0] } },
    nodes: behind({
      op: 'Concat',
      inputs: new Array<string>(60_000).fill('empty'),
      outputs: ['big'],
      attributes: { axis: 1 },
    }),
  },
  'a border that no memory has': {
    constants: { pads: [0, 0, 2 ** 40, 0, 0, 0, 0, 2 ** 40] },
    nodes: [
      { op: 'Pad', inputs: ['x', 'pads'] },
      { op: 'GlobalAveragePool', inputs: ['pad1'] },
    ],
  },
  'a convolution’s border that no memory has': {
    constants: { w: float(2, 3, 1, 1) },
    nodes: [
      { op: 'Conv', inputs: ['x', 'w'], attributes: { pads: [2 ** 40, 0, 0, 2 ** 40] } },
      { op: 'GlobalAveragePool', inputs: ['conv1'] },
    ],
  },
  'a picture enlarged again and again': {
    constants: { scales: { dims: [4], values: [1, 1, 1000, 1000] } },
    nodes: [
      ...[1, 2, 3, 4].map((i) => ({
        op: 'Resize',
        inputs: [i === 1 ? 'x' : `resize${i - 1}`, '', 'scales'],
        attributes: { mode: 'nearest' },
      })),
      { op: 'GlobalAveragePool', inputs: ['resize4'] },
    ],
  },
  'channels that double and double': {
    nodes: [
      ...Array.from({ length: 60 }, (_, i) => ({
        op: 'Concat',
        inputs: [i === 0 ? 'x' : `concat${i}`, i === 0 ? 'x' : `concat${i}`],
        attributes: { axis: 1 },
      })),
      { op: 'GlobalAveragePool', inputs: ['concat60'] },
    ],
  },
  'a factor for each of many channels, again and again': {
    constants: { shape: [1, 2 ** 20, 1, 1], two: float(1) },
    nodes: [
      { op: 'GlobalAveragePool', inputs: ['x'], outputs: ['mean'] },
      { op: 'ReduceMean', inputs: ['mean'], outputs: ['one'], attributes: { axes: [1] } },
      { op: 'Expand', inputs: ['one', 'shape'], outputs: ['p0'] },
      ...Array.from({ length: 2000 }, (_, i) => ({
        op: i % 2 === 0 ? 'Sigmoid' : 'Add',
        inputs: i % 2 === 0 ? [`p${i}`] : [`p${i}`, 'two'],
        outputs: [`p${i + 1}`],
      })),
    ],
  },
};

describe('a hostile file', () => {
  it.each(Object.keys(FILES))('is refused: %s', (name) => {
    const bytes = onnxFile(FILES[name]!);
    const begin = cpuMs();
    expect(() => onnxNetwork(bytes, 'file')).toThrow(FormatError);
    expect(cpuMs() - begin).toBeLessThan(10_000);
  });

  it.each(['Concat', 'Sum', 'Mean', 'Max', 'Add', 'Where', 'Gather', 'Reshape', 'Expand', 'Conv'])(
    'is refused: %s of nothing',
    (op) => {
      const nodes = behind({ op, inputs: [], outputs: ['big'], attributes: { axis: 0 } });
      expect(() => onnxNetwork(onnxFile({ nodes }), 'file')).toThrow('input 0 is missing');
    },
  );

  it('with class names without closing quotes is read quickly', () => {
    const nodes: FileSpec['nodes'] = [{ op: 'GlobalAveragePool', inputs: ['x'] }];
    for (const text of [
      `['${"\\'".repeat(400_000)}`,
      `{${'1'.repeat(800_000)}`,
      `{1: "${'\\"'.repeat(400_000)}`,
      `[${"'\\\n".repeat(300_000)}`,
    ]) {
      const begin = cpuMs();
      onnxNetwork(onnxFile({ nodes, metadata: { names: text } }), 'file');
      expect(cpuMs() - begin).toBeLessThan(2_000);
    }
  });
});
