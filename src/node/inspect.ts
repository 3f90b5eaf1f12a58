/**
 * Describes a file of weights: its network, layer by layer, where its scales end, what else can be measured,
 * and the cost. For a file that cannot be loaded: the reason, and the most similar network.
 */

import { type Backend, makeKernels, PRECISIONS, type Precision } from '../kernels/index.js';
import { rangesOf, shapesOf } from '../model/graph/node.js';
import { type Activation, Network, plan, sizeOf, type TensorSource } from '../model/index.js';
import { ARCHITECTURES } from './architectures.js';
import { type Memory, memoryOf } from './memory.js';
import { openNetwork, type WeightsOptions } from './model-weights.js';
import { describeStep, type StepText } from './step-text.js';

export interface InspectOptions extends WeightsOptions {
  /** Side of the input for which shapes are given; default the size that the network was trained with. */
  readonly size?: number;
  readonly backend?: Backend;
}

/** A value that can be tapped, by name. */
export interface InspectedValue {
  readonly name: string;
  /** [H, W, C] */
  readonly shape: readonly [number, number, number];
}

export interface Inspection {
  readonly model: string;
  /** The format, and where the weights are in the file, for people. */
  readonly format: string;
  /** The prefix that the file puts before the network's names. */
  readonly prefix: string;
  readonly architecture: Network['architecture'];
  readonly channels: number;
  readonly classes: number;
  readonly activation: Activation;
  /** Class names in index order, where they are known. */
  readonly labels?: readonly string[];
  /** What was ignored in the file, and what is doubtful: a line each. */
  readonly warnings: readonly string[];
  /** What the weights do not show, and what is assumed: a line. */
  readonly assumption?: string;
  /** `linear`: class activation maps in closed form; `layers`: of several layers; or `none`. */
  readonly head: 'linear' | 'layers' | 'none';
  readonly preprocessing: Network['preprocessing'];
  /** Short side of the input. */
  readonly size: number;
  /** Height and width of the input for which shapes are given. */
  readonly inputSize: readonly [H: number, W: number];
  readonly parameters: number;
  readonly macs: number;
  /** In the order of the pass. */
  readonly layers: readonly StepText[];
  /** Where the scales end. */
  readonly scales: readonly InspectedValue[];
  /** If no scale ends: values that may be named instead. */
  readonly candidates: readonly string[];
  /** Other values that are never negative and have more than one pixel. */
  readonly tappable: readonly InspectedValue[];
  /** By precision, with a pass over one picture. */
  readonly memory: readonly (Memory & { readonly precision: Precision })[];
}

/**
 * Inspects the weights of a model, as `openModel` names them.
 *
 * @throws {FormatError} in one line: the file, what is wrong with it, and the most similar known network
 */
export async function inspectModel(
  model: string,
  { size: asked, backend, ...options }: InspectOptions = {},
): Promise<Inspection> {
  const opened = await openNetwork(model, options, nearest);
  try {
    const kernels = await makeKernels(backend);
    const { labels: _, ...network } = options;
    const net = new Network(opened.network, { ...network, kernels });
    const { architecture, channels, preprocessing, activation } = net;
    const inputSize = asked === undefined ? net.ownSize : ([asked, asked] as const);
    const prepared = net.preparedAt(...inputSize);
    const { graph, ends } = prepared;
    const passPlan = plan(prepared, [1, ...inputSize]);
    const shapes = shapesOf(graph, ...inputSize);
    const ranges = rangesOf(graph);
    const valueAt = (value: number): InspectedValue => {
      const { H, W, C } = shapes[value]!;
      return { name: graph.nodes[value]!.name, shape: [H, W, C] };
    };
    const others = [...graph.nodes.keys()].filter(
      (i) => ranges[i]!.nonNegative && !ends.includes(i) && shapes[i]!.H * shapes[i]!.W > 1,
    );
    const tensors = [...net.tensors.values()].flat();
    return {
      model,
      format: opened.format,
      prefix: opened.network.prefix,
      architecture,
      channels,
      classes: graph.classes,
      activation,
      ...(opened.labels && { labels: opened.labels }),
      warnings: opened.warnings,
      ...(opened.assumption !== undefined && { assumption: opened.assumption }),
      head: graph.classes === 0 ? 'none' : net.hasLinearHead ? 'linear' : 'layers',
      preprocessing,
      size: Math.min(...inputSize),
      inputSize,
      parameters: tensors.reduce((sum, [, shape]) => sum + sizeOf(shape), 0),
      macs: passPlan.macs,
      layers: passPlan.steps.map(describeStep),
      scales: ends.map(valueAt),
      candidates: ends.length > 0 ? [] : net.scaleCandidates,
      tappable: others.map(valueAt),
      memory: PRECISIONS.map((precision) => ({
        precision,
        ...memoryOf(kernels, prepared, [1, ...inputSize], precision),
      })),
    };
  } finally {
    opened.close();
  }
}

/** The network whose tensor names are most similar. */
function nearest({ tensors }: TensorSource): string {
  const own = [...tensors.keys()].filter((name) => !name.endsWith('.num_batches_tracked'));
  let best = { name: '', known: 0 };
  for (const [name, dict] of Object.entries(ARCHITECTURES)) {
    const names = new Set(dict().map(([tensor]) => tensor));
    const known =
      own.filter((tensor) => names.has(tensor)).length / Math.max(names.size, own.length);
    if (known > best.known) best = { name, known };
  }
  const first = own.slice(0, 3).map((name) => `${name} [${tensors.get(name)!.shape}]`);
  const what = `it has ${own.length} tensors: ${first.join(', ')}${own.length > 3 ? ', …' : ''}`;
  if (best.known === 0) return `${what}; no name is that of a known network`;
  return `${what}; the nearest known network is ${best.name}, with ${Math.round(100 * best.known)} % of the names`;
}
