/** Values and constants with unusual orders of dimensions. The expected results are computed by hand. */

import { describe, expect, it } from 'vitest';
import { FormatError, ShapeError } from '../../../src/errors.js';
import { jsKernels } from '../../../src/kernels/index.js';
import { type ExplainingNetwork, loadNetwork } from '../../../src/onnx.js';
import { type Constant, type FileSpec, onnxFile } from './files.js';

function load(spec: FileSpec): Promise<ExplainingNetwork> {
  return loadNetwork(onnxFile(spec), { kernels: jsKernels(), name: 'file' });
}

/** The logits of a picture [1, C, H, W] whose elements are 0, 1, 2 … */
async function logitsOf(spec: FileSpec): Promise<number[]> {
  const net = await load(spec);
  const [, C, H, W] = (spec.input ?? [1, 3, 4, 6]) as [number, number, number, number];
  const pass = net.forward(1, H, W, { taps: false });
  pass.input.set(
    Float32Array.from({ length: C * H * W }, (_, i) => (i % C) * H * W + Math.floor(i / C)),
  );
  pass.run();
  return [...pass.logits];
}

const VECTOR = { input: [1, 4, 1, 1] } as const;

/** A layer whose logits are its input. */
function identity(size: number): Constant {
  const values = Array.from({ length: size ** 2 }, (_, i) => Number(i % (size + 1) === 0));
  return { dims: [size, size], values };
}

describe('a vector whose parts were transposed', () => {
  const shuffled: FileSpec['nodes'] = [
    { op: 'Reshape', inputs: ['x', 'parts'] },
    { op: 'Transpose', inputs: ['reshape1'], attributes: { perm: [0, 2, 1] } },
    { op: 'Reshape', inputs: ['transpose2', 'flat'] },
  ];
  const constants = { parts: [1, 2, 2], flat: [1, 4] };

  it('is read by a layer in its own order', async () => {
    const nodes = [...shuffled, { op: 'MatMul', inputs: ['reshape3', 'w'] }];
    const own = { ...constants, w: identity(4) };
    expect(await logitsOf({ ...VECTOR, nodes, constants: own })).toEqual([0, 2, 1, 3]);
  });

  it('is the network’s output in its own order', async () => {
    expect(await logitsOf({ ...VECTOR, nodes: shuffled, constants })).toEqual([0, 2, 1, 3]);
  });

  it('is cut in its own order', async () => {
    const nodes = [...shuffled, { op: 'Slice', inputs: ['reshape3', 'one', 'four', 'one'] }];
    const more = { ...constants, one: [1], four: [4] };
    expect(await logitsOf({ ...VECTOR, nodes, constants: more })).toEqual([2, 1, 3]);
  });
});

describe('constants', () => {
  it('are computed in float32: of three rows a third is one, rounded up', async () => {
    const nodes: FileSpec['nodes'] = [
      { op: 'Shape', inputs: ['x'] },
      { op: 'Gather', inputs: ['shape1', 'row'] },
      { op: 'Cast', inputs: ['gather2'], attributes: { to: 1 } },
      { op: 'Mul', inputs: ['cast3', 'third'] },
      { op: 'Ceil', inputs: ['mul4'] },
      { op: 'Cast', inputs: ['ceil5'], attributes: { to: 7 } },
      { op: 'Slice', inputs: ['x', 'zero', 'cast6', 'row'] },
    ];
    const third = { dims: [1], values: [1 / 3] };
    const constants = { row: [2], zero: [0], third };
    const rows = await logitsOf({ input: [1, 1, 3, 1], nodes, constants });
    expect(rows).toEqual([0]);
  });

  it('that are as large as the picture bind the network to this size', async () => {
    const nodes: FileSpec['nodes'] = [
      { op: 'Shape', inputs: ['x'] },
      { op: 'Gather', inputs: ['shape1', 'row'] },
      { op: 'Slice', inputs: ['positions', 'zero', 'gather2', 'row'] },
      { op: 'Add', inputs: ['x', 'slice3'] },
      { op: 'GlobalAveragePool', inputs: ['add4'] },
    ];
    const positions = { dims: [1, 1, 300, 1], values: [...new Array(300).keys()] };
    const constants = { row: [2], zero: [0], positions };
    const net = await load({
      input: [1, 3, -1, -1],
      nodes,
      constants,
      output: 'globalaveragepool5',
    });
    expect(() => net.forward(1, 100, 224)).toThrow(ShapeError);
  });

  it('are dequantised along the axis that the node names', async () => {
    const nodes: FileSpec['nodes'] = [
      { op: 'QuantizeLinear', inputs: ['w', 'scales', 'zeros'], attributes: { axis: 1 } },
      {
        op: 'DequantizeLinear',
        inputs: ['quantizelinear1', 'scales', 'zeros'],
        attributes: { axis: 1 },
      },
      { op: 'Flatten', inputs: ['x'] },
      { op: 'MatMul', inputs: ['flatten3', 'dequantizelinear2'] },
    ];
    const constants = {
      w: { dims: [2, 2], values: [1.1, 1.1, 1.1, 1.1] },
      scales: { dims: [2], values: [1, 0.5] },
      zeros: { dims: [2], values: [0, 0], type: 3 },
    };
    expect(await logitsOf({ input: [1, 2, 1, 1], nodes, constants })).toEqual([1, 1]);
    const other = { ...constants, scales: { dims: [2], values: [1, 0.25] } };
    const half = { ...other, w: { dims: [2, 2], values: [1.1, 1.15, 1.1, 1.15] } };
    expect(await logitsOf({ input: [1, 2, 1, 1], nodes, constants: half })).toEqual([1, 1.25]);
  });
});

describe('operators', () => {
  it('Gemm multiplies a computed summand by beta', async () => {
    const nodes: FileSpec['nodes'] = [
      { op: 'Flatten', inputs: ['x'] },
      { op: 'Gemm', inputs: ['flatten1', 'w', 'flatten1'], attributes: { beta: 0.5 } },
    ];
    const w = { dims: [2, 2], values: [1, 0, 0, 1] };
    const logits = await logitsOf({ input: [1, 2, 1, 1], nodes, constants: { w } });
    expect(logits).toEqual([0, 1.5]);
  });

  it('Resize computes extents in float32: 10 times 0.7 is seven', async () => {
    const nodes: FileSpec['nodes'] = [
      { op: 'Resize', inputs: ['x', '', 'scales'], attributes: { mode: 'nearest' } },
      { op: 'Flatten', inputs: ['resize1'] },
      { op: 'MatMul', inputs: ['flatten2', 'w'] },
    ];
    const scales = { dims: [4], values: [1, 1, 0.7, 1] };
    const logits = await logitsOf({
      input: [1, 1, 10, 1],
      nodes,
      constants: { scales, w: identity(7) },
    });
    expect(logits).toHaveLength(7);
  });

  it('Pad of the channels of a grey picture, channels last, leaves its columns alone', async () => {
    const nodes: FileSpec['nodes'] = [
      { op: 'Transpose', inputs: ['x'], attributes: { perm: [0, 2, 3, 1] } },
      { op: 'Pad', inputs: ['transpose1', 'pads'] },
      { op: 'Flatten', inputs: ['pad2'] },
      { op: 'MatMul', inputs: ['flatten3', 'w'] },
    ];
    const constants = { pads: [0, 0, 0, 0, 0, 0, 0, 1], w: identity(4) };
    const logits = await logitsOf({ input: [1, 1, 1, 2], nodes, constants });
    expect(logits).toEqual([0, 0, 1, 0]);
  });

  it('Expand adds the given dimensions', async () => {
    const nodes: FileSpec['nodes'] = [
      { op: 'Flatten', inputs: ['x'] },
      { op: 'Expand', inputs: ['flatten1', 'shape'] },
      { op: 'Concat', inputs: ['expand2', 'expand2'], attributes: { axis: 2 } },
    ];
    const logits = await logitsOf({ input: [1, 2, 1, 1], nodes, constants: { shape: [1, 1, 2] } });
    expect(logits).toEqual([0, 1, 0, 1]);
  });

  it('Softmax over a dimension of size 1 is not one over the channels', async () => {
    const nodes: FileSpec['nodes'] = [
      { op: 'Softmax', inputs: ['x'], attributes: { axis: 2 } },
      { op: 'Neg', inputs: ['softmax1'] },
    ];
    await expect(logitsOf({ ...VECTOR, nodes })).rejects.toThrow(/Softmax softmax1 \(opset 13\)/);
  });
});

describe('names', () => {
  it('of values stay with their node if another node moves their elements', async () => {
    const nodes: FileSpec['nodes'] = [
      { op: 'GlobalAveragePool', inputs: ['x'] },
      { op: 'Reshape', inputs: ['globalaveragepool1', 'row'] },
      { op: 'Relu', inputs: ['reshape2'], outputs: ['means'] },
      { op: 'Add', inputs: ['x', 'means'], outputs: ['sum'] },
      { op: 'GlobalAveragePool', inputs: ['sum'] },
    ];
    const net = await load({ input: [1, 4, 3, 4], nodes, constants: { row: [1, 1, 1, 4] } });
    const named = net.prepared.graph.nodes.find(({ name }) => name === 'means');
    expect(named?.operator.kind).toBe('relu');
  });

  it('that two nodes use for their outputs are refused', async () => {
    const nodes: FileSpec['nodes'] = [
      { op: 'Relu', inputs: ['x'], outputs: ['y'] },
      { op: 'Sigmoid', inputs: ['x'], outputs: ['y'] },
      { op: 'GlobalAveragePool', inputs: ['y'] },
    ];
    await expect(load({ nodes })).rejects.toThrow('value y is made twice');
  });

  it('of operators and attributes may be names of properties of JavaScript’s objects', async () => {
    for (const op of ['constructor', '__proto__', 'hasOwnProperty']) {
      await expect(load({ nodes: [{ op, inputs: ['x'] }] })).rejects.toThrow(FormatError);
    }
    const nodes: FileSpec['nodes'] = [
      { op: 'Relu', inputs: ['x'], outputs: ['__proto__'], attributes: { constructor: 1 } },
      { op: 'GlobalAveragePool', inputs: ['__proto__'] },
    ];
    const metadata = {
      'Image.NominalPixelRange': 'constructor',
      'Image.BitmapPixelFormat': '__proto__',
    };
    const net = await load({ nodes, metadata });
    expect(net.warnings.join()).toContain('ImageNet');
  });
});
