/** Inputs and outputs of an ONNX graph: which input is the picture, its layout, and which output is the network's. */

import { FormatError } from '../../errors.js';
import type { OnnxModel, OnnxNode, OnnxValue } from './proto.js';
import { dtypeOf, type Tensor } from './tensor.js';
import { type Layout, NCHW, NHWC } from './view.js';

/** The picture input of the file. */
export interface OnnxInput {
  readonly name: string;
  readonly channels: number;
  readonly layout: Layout;
  /** Height, if the file fixes it. */
  readonly H?: number;
  readonly W?: number;
  /** Whether it takes bytes; then the graph normalises them itself. */
  readonly isBytes: boolean;
}

/** The most channels of a picture, where the layout is guessed from the sizes. */
const FEW_CHANNELS = 4;
/** The most channels in any case. */
const MOST_CHANNELS = 4096;

/** @throws {FormatError} if there is not exactly one input that is a picture */
export function pictureInput(
  { graph }: OnnxModel,
  initializers: ReadonlyMap<string, Tensor>,
): OnnxInput {
  const inputs = graph.inputs.filter(({ name }) => !initializers.has(name));
  const used = new Set(graph.nodes.flatMap((node) => node.inputs));
  const read = inputs.filter(({ name }) => used.has(name));
  const pictures = read.filter(({ dims }) => dims?.length === 4 || dims?.length === 3);
  const [picture] = pictures;
  if (!picture || pictures.length > 1) {
    const all = inputs.map(describe).join(', ') || 'none';
    const what = picture ? 'several inputs' : 'no input';
    throw new FormatError(
      `ONNX with ${what} of four dimensions, as a picture has: its inputs are ${all}`,
    );
  }
  const other = read.find((input) => input !== picture);
  if (other) {
    throw new FormatError(
      `a second input, ${describe(other)}: only networks of one picture are supported`,
    );
  }
  const { name, type } = picture;
  const dims = picture.dims!.length === 3 ? [1, ...picture.dims!] : picture.dims!;
  if (dims[0] !== undefined && dims[0] !== 1) {
    throw new FormatError(
      `input ${name} is a batch of ${dims[0]}: export the network for one picture, or with a dynamic batch`,
    );
  }
  const dtype = type === 0 ? 'F32' : dtypeOf(type, `input ${name}`);
  const layout = isChannelsLast(picture.name, dims, graph.nodes) ? NHWC : NCHW;
  const at = (axis: 'H' | 'W' | 'C'): number | undefined => dims[layout.indexOf(axis)];
  const [H, W] = [at('H'), at('W')];
  const channels = at('C') ?? channelsRead(name, graph.nodes, initializers) ?? 3;
  if (channels > MOST_CHANNELS) {
    throw new FormatError(
      `input ${name} has ${channels} channels, at most ${MOST_CHANNELS} are read`,
    );
  }
  return {
    name,
    layout: picture.dims!.length === 3 ? layout.slice(1) : layout,
    channels,
    ...(H !== undefined && { H }),
    ...(W !== undefined && { W }),
    isBytes: dtype === 'U8',
  };
}

function describe({ name, dims }: OnnxValue): string {
  return `${name} [${dims?.map((size) => size ?? '?') ?? ''}]`;
}

/** Decides by the sizes, else by the first node. */
function isChannelsLast(
  name: string,
  dims: readonly (number | undefined)[],
  nodes: readonly OnnxNode[],
): boolean {
  const [first, last] = [dims[1], dims[3]];
  const isFew = (size: number | undefined) => size !== undefined && size <= FEW_CHANNELS;
  if (isFew(first) !== isFew(last)) return isFew(last);
  const perm = nodes
    .find(({ op, inputs }) => op === 'Transpose' && inputs[0] === name)
    ?.attributes.get('perm')?.ints;
  return `${perm}` === '0,3,1,2';
}

/** Channels that the first convolution of the picture reads. */
function channelsRead(
  name: string,
  nodes: readonly OnnxNode[],
  initializers: ReadonlyMap<string, Tensor>,
): number | undefined {
  const conv = nodes.find(({ op, inputs }) => op === 'Conv' && inputs[0] === name);
  const weight = conv && initializers.get(conv.inputs[1] ?? '');
  const groups = conv?.attributes.get('group')?.i ?? 1;
  return weight?.shape[1] === undefined ? undefined : weight.shape[1] * groups;
}

/** The output to use: the requested one, else the first. @throws {FormatError} */
export function outputName({ graph }: OnnxModel, asked: string | undefined): string {
  const names = graph.outputs.map(({ name }) => name);
  const made = new Set(graph.nodes.flatMap((node) => node.outputs));
  const name = asked ?? names[0];
  if (name !== undefined && made.has(name)) return name;
  const all = names.slice(0, 16).join(', ') || 'none';
  throw new FormatError(`no node makes output ${name ?? ''}; the outputs are ${all}`);
}
