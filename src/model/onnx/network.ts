/**
 * Reads the bytes of an ONNX file and returns a network that `Network` can load.
 *
 *   bytes ─ proto ─▶ messages ─ importer ─▶ graph and constants ─▶ logits found, Softmax looked through
 */

import { FormatError, inFile, ShapeError } from '../../errors.js';
import type { Preprocessing } from '../../image/index.js';
import type { ByteSource } from '../formats/byte-source.js';
import type { Activation } from '../formats/metadata.js';
import type { TensorSource } from '../formats/tensor-source.js';
import type { Graph } from '../graph/node.js';
import type { RecognizedNetwork } from '../nets/index.js';
import { usualSize } from '../prepared.js';
import { alive, type Imported, type ImportOptions, importGraph } from './importer.js';
import { type OnnxModel, type OnnxNode, type OnnxTensor, parseOnnx } from './proto.js';
import { saidLabels, saidPreprocessing, saidSize } from './said.js';
import { type OnnxInput, outputName, pictureInput } from './signature.js';
import { type Tensor, tensorOf } from './tensor.js';
import type { View } from './view.js';
import { MOST_WORK, type Value, type Work } from './writer.js';

export interface OnnxOptions {
  /** Side of the input, or its height and width, if the file does not fix it. Default: the file's metadata, else 224. */
  readonly size?: number | readonly [H: number, W: number];
  /** Name of the output with the logits, if there are several. Default: the first output. */
  readonly output?: string;
  /** The function from logits to probabilities. Default: the graph's own, else softmax; sigmoid for a single logit. */
  readonly activation?: Activation;
  /** The preprocessing that the network was trained with. Default: the file's, else ImageNet's. */
  readonly preprocessing?: Partial<Preprocessing>;
  /** Returns the bytes of another file with weights, for the path that the file states. */
  readonly externalData?: (location: string) => ByteSource;
}

/** The warning for a file that states nothing about its pixels. */
export const PIXELS_ASSUMED =
  "nothing says what pixels become before the network: ImageNet's mean and deviation are assumed";

/** The first opset in which operators broadcast as they do today. */
const OLDEST_OPSET = 7;
const NEWEST_OPSET = 22;

/**
 * Reads an ONNX file for pictures of one size; use `at` of the result for other sizes.
 *
 * @param name name of the file in messages
 * @throws {FormatError} for a file that is damaged or has an unsupported operator. The message names the operator,
 * its node and opset, and says what to do
 */
export function onnxNetwork(
  bytes: Uint8Array,
  name: string,
  options: OnnxOptions = {},
): RecognizedNetwork {
  return inFile(name, () => new OnnxFile(bytes, name, options).network());
}

/** A file's network before it is packed, and its values by name; ./target.ts reads it. */
export interface ReadOnnx {
  readonly graph: Graph;
  readonly input: OnnxInput;
  readonly size: readonly [H: number, W: number];
  readonly values: ReadonlyMap<string, Value>;
  isNonNegative(value: View): boolean;
  readonly nodes: readonly OnnxNode[];
}

/** @param others names of other values to read. @throws {FormatError} as `onnxNetwork` */
export function readOnnx(
  bytes: Uint8Array,
  name: string,
  options: OnnxOptions = {},
  others: readonly string[] = [],
): ReadOnnx {
  return inFile(name, () => new OnnxFile(bytes, name, options, others).read());
}

/** Facts about a file that are known before its network is read. */
export interface OnnxSummary {
  readonly opset: number;
  /** The program that wrote it. */
  readonly producer: string;
  /** The number of nodes of each operator, the most frequent first. */
  readonly operators: ReadonlyMap<string, number>;
  /** The paths of other files with weights. */
  readonly externalFiles: readonly string[];
}

/** @throws {FormatError} for bytes that are not an ONNX model */
export function onnxSummary(bytes: Uint8Array, name: string): OnnxSummary {
  const { graph, opsets, producer } = inFile(name, () => parseOnnx(bytes));
  const counts = new Map<string, number>();
  for (const { op } of graph.nodes) counts.set(op, (counts.get(op) ?? 0) + 1);
  const locations = graph.initializers.flatMap(({ external }) => external?.get('location') ?? []);
  return {
    opset: opsets.get('') ?? 0,
    producer,
    operators: new Map([...counts].sort((a, b) => b[1] - a[1])),
    externalFiles: [...new Set(locations)],
  };
}

class OnnxFile {
  readonly #name: string;
  readonly #model: OnnxModel;
  readonly #options: OnnxOptions;
  readonly #given: Omit<ImportOptions, 'size' | 'work'>;

  constructor(bytes: Uint8Array, name: string, options: OnnxOptions, others?: readonly string[]) {
    this.#name = name;
    this.#model = parseOnnx(bytes);
    this.#options = options;
    checkOpset(this.#model);
    const model = this.#model;
    const initializers = initializersOf(model.graph.initializers, options);
    const input = pictureInput(model, initializers);
    const output = outputName(model, options.output);
    this.#given = { model, initializers, input, output, others };
  }

  network(): RecognizedNetwork {
    const { input } = this.#given;
    const [size, imported] = this.#fitting();
    const graph = this.#graphOf(imported);
    const { activation, classes } = graph;
    const source = this.#source(imported);
    const model = this.#model;
    const isFixed = !this.#takes([size[0] + 32, size[1] + 64]);
    const opset = model.opsets.get('') ?? 0;
    const dequantized = [...imported.tensors.values()].some((tensor) => tensor.isDequantized);
    return {
      architecture: {
        family: 'onnx',
        producer: model.producer,
        opset,
        input: `${input.name} ${input.layout.map((axis) => axis ?? 'N').join('')}`,
        output: this.#given.output,
        classes,
        activation,
      },
      source,
      graph: graph.graph,
      activation,
      warnings: [
        ...imported.warnings,
        ...(opset > NEWEST_OPSET
          ? [`opset ${opset} is newer than ${NEWEST_OPSET}: read as that`]
          : []),
        ...(dequantized
          ? ['whole numbers with scales are computed in floats, without rounding']
          : []),
        ...(source.metadata.has('preprocessing') || this.#options.preprocessing
          ? []
          : [PIXELS_ASSUMED]),
      ],
      assumed: [],
      taken: imported.tensors.size,
      prefix: '',
      size,
      isFixed,
      at: ([H, W]) => this.#at([H, W]),
    };
  }

  read(): ReadOnnx {
    const [size, imported] = this.#fitting();
    const { input, model } = this.#given;
    const { graph } = this.#graphOf(imported);
    const { values, isNonNegative } = imported;
    return { graph, input, size, values, isNonNegative, nodes: model.graph.nodes };
  }

  /** The graph for pictures of another size. @throws {ShapeError} if it does not accept them */
  #at(size: readonly [number, number]): Graph {
    try {
      const imported = this.#import(size);
      if (imported.isSizeBound) throw new FormatError('its constants are those of another size');
      return this.#graphOf(imported).graph;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new ShapeError(
        `an input of ${size.join('×')} does not fit ${this.#name}: ${error.message}`,
      );
    }
  }

  #takes(size: readonly [number, number]): boolean {
    try {
      this.#at(size);
      return true;
    } catch (error) {
      if (error instanceof ShapeError) return false;
      throw error;
    }
  }

  #import(size: readonly [number, number], work: Work = { left: MOST_WORK }): Imported {
    return importGraph({ ...this.#given, size, work });
  }

  /** The requested or fixed size, or the first usual one that the graph accepts. */
  #fitting(): [readonly [number, number], Imported] {
    const { H, W } = this.#given.input;
    const asked = this.#options.size ?? saidSize(this.#model);
    const [h, w] = typeof asked === 'number' ? [asked, asked] : (asked ?? []);
    const own = [H ?? h ?? W, W ?? w ?? H] as const;
    if (own[0] !== undefined && own[1] !== undefined) {
      const size = [own[0], own[1]] as const;
      return [size, this.#import(size)];
    }
    let first: unknown;
    const work = { left: MOST_WORK };
    for (const side of USUAL_SIZES) {
      try {
        const imported = this.#import([side, side], work);
        const small = usualSize({ ...imported.graph, classes: 0 });
        if (small < side && side === USUAL_SIZES[0] && this.#takes([small, small])) {
          return [[small, small], this.#import([small, small])];
        }
        return [[side, side], imported];
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        first ??= error;
      }
    }
    throw first;
  }

  /** The graph up to the logits. */
  #graphOf({ graph, output }: Imported): { graph: Graph; activation: Activation; classes: number } {
    const { shape } = output;
    const isVector = shape.H * shape.W === 1;
    const last = graph.nodes[output.node]!;
    const ends = isVector ? ACTIVATIONS[last.operator.kind] : undefined;
    const logits = ends ? last.inputs[0]! : output.node;
    // An output with several pixels is not that of a classifier.
    const classes = isVector ? shape.C : 0;
    const usual = classes === 1 ? 'sigmoid' : 'softmax';
    const { nodes, map } = alive(graph.nodes, logits);
    return {
      graph: { nodes, output: map[logits]!, classes },
      classes,
      activation: this.#options.activation ?? ends ?? usual,
    };
  }

  #source({ graph, tensors }: Imported): TensorSource<Tensor> {
    const name = this.#name;
    const model = this.#model;
    const said = saidPreprocessing(model, this.#given.input, firstScaleOf(graph.nodes, tensors));
    const labels = saidLabels(model);
    const isSaid = said.mean !== undefined;
    const metadata = new Map<string, string>([
      ...(labels ? ([['labels', JSON.stringify(labels)]] as const) : []),
      ...(isSaid ? ([['preprocessing', JSON.stringify(said)]] as const) : []),
    ]);
    return {
      name,
      metadata,
      tensors,
      readInto: (out, tensor, begin) => tensors.get(tensor)!.read(out, begin),
    };
  }
}

/** The sizes to try if neither the file nor the caller states one. */
const USUAL_SIZES: readonly number[] = [224, 299, 256, 384, 32, 64, 96, 128, 192, 160, 240, 28];

/** Operators at the end of a graph that turn logits into probabilities. */
const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  softmax: 'softmax',
  logSoftmax: 'softmax',
  sigmoid: 'sigmoid',
};

function checkOpset({ opsets, graph }: OnnxModel): void {
  const opset = opsets.get('');
  if (opset !== undefined && opset >= OLDEST_OPSET) return;
  if (opset === undefined && graph.nodes.every(({ domain }) => domain !== '')) return;
  throw new FormatError(
    `operators of opset ${opset ?? 'that it does not say'}: ${OLDEST_OPSET} to ${NEWEST_OPSET} are supported; onnx.version_converter raises it`,
  );
}

/** Initializers by name. If one cannot be read, the error comes only when a node reads it. */
function initializersOf(
  initializers: readonly OnnxTensor[],
  { externalData }: OnnxOptions,
): Map<string, Tensor> {
  const data = (location: string): ByteSource => {
    if (externalData) return externalData(location);
    throw new FormatError(
      `its weights lie in another file, ${location}: give \`externalData\`, or save the model in one file`,
    );
  };
  return new Map(initializers.map((tensor) => [tensor.name, tensorOf(tensor, data)]));
}

/** The factor by which the graph multiplies the picture first, if it begins with arithmetic. */
function firstScaleOf(
  nodes: Graph['nodes'],
  tensors: ReadonlyMap<string, Tensor>,
): number | undefined {
  let scale: number | undefined;
  let value = 0;
  for (const { operator, inputs } of nodes.slice(1)) {
    const { kind, batchNorms } = operator as {
      kind: string;
      batchNorms?: readonly { gamma?: string; mean?: string }[];
    };
    const isNext = inputs.length === 1 && inputs[0] === value;
    if (!isNext || kind !== 'affine' || batchNorms?.[0]?.mean !== undefined) break;
    const gamma = batchNorms?.[0]?.gamma;
    if (gamma) scale = (scale ?? 1) * tensors.get(gamma)!.values[0]!;
    value++;
  }
  return scale;
}
