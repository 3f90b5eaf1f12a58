// A network as calls of TensorFlow.js, as fast as possible: batch norms are folded, bias and ReLU are fused, and each value
// is disposed after its last use. Operators pad themselves, which is no slower than tf.pad. A batch norm that cannot be
// folded is a product and a sum, which is faster than tf.batchNorm (measured).
import * as tf from '@tensorflow/tfjs';
import { affineOf, foldedWeights, isLinear } from './network.mjs';

/** Returns a function from a picture [1, H, W, C] to logits [1, classes]. */
export function tfjsForward({ source, nodes, output }) {
  const [picture, ...rest] = nodes;
  const layers = withFusedRelu(rest).map((layer) => {
    return { ...layer, compute: OPERATORS[layer.operator.kind](layer, source) };
  });
  const lastUser = new Map(
    layers.flatMap(({ name, inputs }) => inputs.map((input) => [input, name])),
  );
  return (image) =>
    tf.tidy(() => {
      const values = new Map([[picture.name, image]]);
      for (const { name, inputs, compute } of layers) {
        values.set(name, compute(...inputs.map((input) => values.get(input))));
        for (const input of inputs) {
          if (input !== picture.name && lastUser.get(input) === name) values.get(input).dispose();
        }
      }
      return values.get(output);
    });
}

/** Each node with its `activation`. A ReLU that is the only reader of a convolution is fused into it. */
function withFusedRelu(nodes) {
  const layers = new Map();
  for (const node of nodes) {
    const [input] = node.inputs;
    const before = layers.get(input);
    const users = nodes.filter(({ inputs }) => inputs.includes(input));
    if (node.operator.kind === 'relu' && before?.operator.kind === 'conv' && users.length === 1) {
      layers.delete(input);
      layers.set(node.name, { ...before, name: node.name, activation: 'relu' });
    } else {
      layers.set(node.name, { ...node, activation: 'linear' });
    }
  }
  return [...layers.values()];
}

/** For each kind of node, a function that computes it from its inputs. */
const OPERATORS = {
  conv({ operator, x, activation }, source) {
    const { strideY, strideX, dilationY, dilationX, pads, extents } = operator;
    const filters = filtersOf(operator, source);
    if (isLinear(operator, x)) {
      const [{ filter, bias }] = filters;
      const K = extents.kH * extents.kW * extents.Cin;
      const b = filter.reshape([K, extents.Cout]);
      return (y) => tf.fused.matMul({ a: y.reshape([1, K]), b, bias, activation });
    }
    const geometry = {
      strides: [strideY, strideX],
      dilations: [dilationY, dilationX],
      pad: explicitPads(pads),
    };
    const conv = (part, g) => tf.fused.conv2d({ x: part, ...filters[g], ...geometry, activation });
    const { groups } = extents;
    if (groups === 1) return (y) => conv(y, 0);
    // Neither backend has grouped convolutions.
    return (y) => tf.concat(tf.split(y, groups, 3).map(conv), 3);
  },
  affine({ operator: { batchNorms, channels } }, source) {
    const { scale, shift } = affineOf(source, batchNorms, channels);
    const [factor, summand] = [tf.tensor1d(scale), tf.tensor1d(shift)];
    return (y) => tf.add(tf.mul(y, factor), summand);
  },
  maxPool: ({ operator }) => pool(tf.maxPool, operator),
  meanPool({ name, operator }) {
    const { attributes, includePad } = operator;
    if (includePad && attributes.pads?.some((pad) => pad > 0)) {
      throw new Error(`tfjs: ${name} has no operator: a mean that counts its border`);
    }
    return pool(tf.avgPool, operator);
  },
  adaptiveMean({ name, operator: { H, W } }) {
    if (H * W > 1) throw new Error(`tfjs: ${name} has no operator: a mean to ${H}×${W}`);
    return (y) => tf.mean(y, [1, 2]);
  },
  relu: () => (y) => tf.relu(y),
  add: () => (a, b) => tf.add(a, b),
  concat:
    () =>
    (...values) =>
      tf.concat(values, 3),
};

function pool(operation, { attributes: { kernel, stride, pads = [0, 0, 0, 0], ceil = false } }) {
  const rounding = ceil ? 'ceil' : 'floor';
  return (y) => operation(y, kernel, stride, explicitPads(pads), rounding);
}

function explicitPads([top, left, bottom, right]) {
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
}

/** For each group of channels `filter`, HWIO, and `bias`. */
function filtersOf(operator, source) {
  const { Cin, Cout, kH, kW, groups } = operator.extents;
  const [channels, filters, taps] = [Cin / groups, Cout / groups, kH * kW];
  const { bias, rowLength, row } = foldedWeights(source, operator);
  const weights = new Float32Array(rowLength);
  return Array.from({ length: groups }, (_, g) => {
    const hwio = new Float32Array(rowLength * filters);
    for (let oc = 0; oc < filters; oc++) {
      row(weights, g * filters + oc);
      for (let i = 0; i < rowLength; i++) {
        const [ic, k] = [Math.floor(i / taps), i % taps];
        hwio[(k * channels + ic) * filters + oc] = weights[i];
      }
    }
    return {
      filter: tf.tensor4d(hwio, [kH, kW, channels, filters]),
      bias: tf.tensor1d(bias.slice(g * filters, (g + 1) * filters)),
    };
  });
}
