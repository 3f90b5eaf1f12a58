// A network of the library's table in the form that the peers need: the library's own graph, and weights of seeded noise
// with folded batch norms.
import { prepareNetwork, recognizeNetwork, shapesOf } from '../../dist/model/index.js';
import { namedArchitecture } from '../../dist/node/architectures.js';
import { noiseWeights } from '../../dist/node/noise-model.js';

/** Side of the input. */
export const SIZE = 224;

/**
 * Nodes in topological order, each with the names of its inputs and the extents of the first. Nodes that change nothing
 * at this size are left out.
 */
export function networkNamed(architecture) {
  const source = noiseWeights(namedArchitecture(architecture));
  const { graph } = prepareNetwork(recognizeNetwork(source).graph, SIZE);
  const shapes = shapesOf(graph, SIZE, SIZE);
  const names = [];
  const nodes = [];
  for (const { name, operator, inputs } of graph.nodes) {
    const given = inputs.map((value) => shapes[value]);
    const isIdentity = operator.isIdentity?.(given);
    names.push(isIdentity ? names[inputs[0]] : name);
    if (isIdentity) continue;
    nodes.push({ name, operator, inputs: inputs.map((value) => names[value]), x: given[0] });
  }
  return { architecture, source, nodes, output: names[graph.output], classes: graph.classes };
}

/** Whether a convolution is a fully connected layer: one as large as the map. */
export function isLinear({ extents: { kH, kW, groups }, pads }, { H, W }) {
  return kH === H && kW === W && groups === 1 && pads.every((pad) => pad === 0);
}

/** `bias` [Cout], and `row(out, oc)`, which reads the weights of an output channel: [Cin / groups, kH, kW]. */
export function foldedWeights(source, { weight, bias, batchNorms, extents }) {
  const { Cin, Cout, kH, kW, groups } = extents;
  const { scale, shift } = affineOf(source, batchNorms, Cout, bias);
  const rowLength = (Cin / groups) * kH * kW;
  return {
    bias: shift,
    rowLength,
    row(out, oc) {
      source.readInto(out, weight.name, oc * rowLength);
      for (let i = 0; i < rowLength; i++) out[i] *= scale[oc];
    },
  };
}

/** A bias and batch norms as scale·x + shift for each channel. */
export function affineOf(source, batchNorms, C, bias) {
  const vector = (name, otherwise) => {
    const out = new Float32Array(C).fill(otherwise);
    if (name !== undefined) source.readInto(out, name, 0);
    return out;
  };
  const scale = vector(undefined, 1);
  const shift = vector(bias, 0);
  for (const norm of batchNorms) {
    const gamma = vector(norm.gamma, 1);
    const beta = vector(norm.beta, 0);
    const mean = vector(norm.mean);
    const variance = vector(norm.variance);
    for (let c = 0; c < C; c++) {
      const factor = gamma[c] / Math.sqrt(variance[c] + norm.eps);
      scale[c] *= factor;
      shift[c] = beta[c] - (mean[c] - shift[c]) * factor;
    }
  }
  return { scale, shift };
}
