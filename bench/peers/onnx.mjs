// Makes the bytes of an ONNX file from a network, as an exporter does: NCHW, with batch norms folded into the
// convolution before them, if there is one.
import { affineOf, foldedWeights, isLinear, SIZE } from './network.mjs';
import { onnxFile } from './onnx-file.mjs';

export function onnxOf({ architecture, source, nodes, output, classes }) {
  const [{ name: input, operator: picture }] = nodes;
  const parts = nodes.map((node) => OPERATORS[node.operator.kind](node, source));
  return onnxFile({
    name: architecture,
    input: { name: input, dims: [1, picture.C, SIZE, SIZE] },
    output: { name: output, dims: [1, classes] },
    nodes: parts.flatMap(({ nodes = [] }) => nodes),
    tensors: parts.flatMap(({ tensors = [] }) => tensors),
  });
}

/** For each kind of node: ONNX's nodes, and their tensors. */
const OPERATORS = {
  input: () => ({}),
  conv({ name, operator, inputs, x }, source) {
    const { Cin, Cout, kH, kW, groups } = operator.extents;
    const { bias, row } = foldedWeights(source, operator);
    const isMatrix = isLinear(operator, x);
    const dims = isMatrix ? [Cout, Cin * kH * kW] : [Cout, Cin / groups, kH, kW];
    const tensors = [{ name: `${name}.weight`, dims, row }, vector(`${name}.bias`, bias)];
    const weights = tensors.map((tensor) => tensor.name);
    if (isMatrix) {
      const flat = `${name}.flat`;
      const gemm = { op: 'Gemm', inputs: [flat, ...weights], output: name, ints: { transB: 1 } };
      return { tensors, nodes: [{ op: 'Flatten', inputs, output: flat }, gemm] };
    }
    const ints = {
      kernel_shape: [kH, kW],
      strides: [operator.strideY, operator.strideX],
      pads: operator.pads,
      dilations: [operator.dilationY, operator.dilationX],
      group: groups,
    };
    return {
      tensors,
      nodes: [{ op: 'Conv', inputs: [...inputs, ...weights], output: name, ints }],
    };
  },
  /** A batch norm with mean 0 and variance 1. The original mean and variance are in its factor and summand. */
  affine({ name, operator: { batchNorms, channels }, inputs }, source) {
    const { scale, shift } = affineOf(source, batchNorms, channels);
    const tensors = [
      vector(`${name}.scale`, scale),
      vector(`${name}.shift`, shift),
      vector(`${name}.mean`, new Float32Array(channels)),
      vector(`${name}.variance`, new Float32Array(channels).fill(1)),
    ];
    const all = [...inputs, ...tensors.map((tensor) => tensor.name)];
    const floats = { epsilon: 0 };
    return { tensors, nodes: [{ op: 'BatchNormalization', inputs: all, output: name, floats }] };
  },
  maxPool: (node) => simple('MaxPool', node, windowOf(node.operator)),
  meanPool: (node) =>
    simple('AveragePool', node, {
      ...windowOf(node.operator),
      count_include_pad: node.operator.includePad ? 1 : 0,
    }),
  adaptiveMean(node) {
    const { H, W } = node.operator;
    if (H * W > 1) throw new Error(`onnx: ${node.name} has no operator: a mean to ${H}×${W}`);
    return simple('GlobalAveragePool', node);
  },
  relu: (node) => simple('Relu', node),
  add: (node) => simple('Add', node),
  concat: (node) => simple('Concat', node, { axis: 1 }),
};

function simple(op, { name, inputs }, ints = {}) {
  return { nodes: [{ op, inputs, output: name, ints }] };
}

function windowOf({ attributes: { kernel, stride, pads = [0, 0, 0, 0], ceil = false } }) {
  return { kernel_shape: kernel, strides: stride, pads, ceil_mode: ceil ? 1 : 0 };
}

function vector(name, values) {
  return { name, dims: [values.length], row: (out, i) => out.set([values[i]]) };
}
