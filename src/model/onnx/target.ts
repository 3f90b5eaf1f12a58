/** Reads a network and finds the values for `instrument`: input, scale ends, logits and classifier, by their names. */

import { FormatError, inFile } from '../../errors.js';
import { type Graph, shapesOf } from '../graph/node.js';
import { type Conv, isConv } from '../graph/operators/conv.js';
import { scaleCandidates } from '../graph/scale-ends.js';
import type { InstrumentHead, InstrumentTarget, Layout } from '../onnx-instrument/index.js';
import { prepareNetwork } from '../prepared.js';
import { type OnnxOptions, type ReadOnnx, readOnnx } from './network.js';
import { Tensor } from './tensor.js';
import { dimsOf, isIn, NCHW, NHWC, type View } from './view.js';
import type { Value } from './writer.js';

/**
 * Finds the target for `instrumentedModel` in an ONNX file.
 *
 * @param name name of the file in messages
 * @param taps names of values to measure; default: those where scales end
 * @throws {FormatError} as `onnxNetwork`, for a network without scale ends, and for a name that is not a map's
 */
export function instrumentTarget(
  bytes: Uint8Array,
  name: string,
  { taps, ...options }: OnnxOptions & { readonly taps?: readonly string[] } = {},
): InstrumentTarget {
  const read = readOnnx(bytes, name, options, taps);
  return inFile(name, () => targetOf(read, taps));
}

function targetOf(read: ReadOnnx, taps: readonly string[] | undefined): InstrumentTarget {
  const { graph, input, size, values } = read;
  const prepared = prepareNetwork(graph, ...size);
  const names = taps ?? prepared.ends.map((end) => prepared.graph.nodes[end]!.name);
  if (names.length === 0) {
    const some = scaleCandidates(prepared.graph, shapesOf(prepared.graph, ...size));
    throw new FormatError(
      `no value ends a scale: name some by --taps, such as ${some.map((value) => prepared.graph.nodes[value]!.name).join(',')}`,
    );
  }
  const head = headOf(read, prepared.graph, prepared.features);
  return {
    input: input.name,
    inputLayout: input.layout.at(-1) === 'C' ? 'nhwc' : 'nchw',
    ...(input.H !== undefined && input.W !== undefined && { size: [input.H, input.W] as const }),
    taps: names.map((name) => {
      const view = mapNamed(values, name);
      return { name, layout: layoutOf(view), nonNegative: read.isNonNegative(view) };
    }),
    logits: graph.nodes[graph.output]!.name,
    ...(head && { head }),
  };
}

/** @throws {FormatError} if the name is not that of a value with four dimensions */
function mapNamed(values: ReadonlyMap<string, Value>, name: string): View {
  const value = values.get(name);
  if (!value || value instanceof Tensor) {
    throw new FormatError(`no value of the file is called ${name}`);
  }
  if (value.dims.length === 4) return value;
  throw new FormatError(`value ${name} is [${dimsOf(value)}]: only maps can be tapped`);
}

function layoutOf(view: View): Layout {
  return isIn(view, NHWC) && !isIn(view, NCHW) ? 'nhwc' : 'nchw';
}

/** The classifier after the mean of the features, if it is one product with a constant of the file. */
function headOf(
  { values, nodes }: ReadOnnx,
  { nodes: own, output }: Graph,
  features: number | undefined,
): InstrumentHead | undefined {
  if (features === undefined) return undefined;
  const name = own[features]!.name;
  if (!isConv(own[output]!.operator)) {
    return { features: name, layout: layoutOf(mapNamed(values, name)), transposed: false };
  }
  const { layer, batchNorms } = own[output]!.operator as Conv;
  const node = nodes.find(({ outputs }) => outputs[0] === layer);
  const isScaled = batchNorms.some(({ gamma, variance }) => gamma ?? variance);
  const weight = node?.inputs[1];
  const alpha = node?.attributes.get('alpha')?.f ?? 1;
  if (!node || !weight || isScaled || alpha !== 1) return undefined;
  const isTransposed =
    node.op === 'MatMul' || (node.op === 'Gemm' && !node.attributes.get('transB')?.i);
  const isKnown = ['MatMul', 'Gemm', 'Conv'].includes(node.op) && values.has(name);
  if (!isKnown) return undefined;
  const layout = layoutOf(mapNamed(values, name));
  return { features: name, layout, weight, transposed: isTransposed };
}
