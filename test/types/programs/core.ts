import {
  type DrawnPicture,
  type ExplainingNetwork,
  type Explanation,
  FormatError,
  type Kernels,
  loadNetwork,
  makeKernels,
  type Picture,
} from 'fastcam';
import {
  ClassProbe,
  insertionEnds,
  type PixelCurve,
  pixelCurve,
  pixelOrder,
} from 'fastcam/evaluate';
import { instrumentOnnx } from 'fastcam/instrument';
import { type Backend, jsKernels, STATISTICS } from 'fastcam/kernels';
import { CAM_METHODS } from 'fastcam/methods';
import { parseSafetensors, type RecognizedNetwork, type TensorSource } from 'fastcam/model';
import { loadNetwork as loadOnnx } from 'fastcam/onnx';
import { type FrameBuffers, makeStream, type StreamOptions } from 'fastcam/stream';
import { makeKernels as makeThreaded, type ThreadedOptions } from 'fastcam/threads';
import { explainTiled, type TiledExplanation } from 'fastcam/tiles';
import { type Examples, type TrainOptions, train } from 'fastcam/train';
import { heatMap, keepMask, lovi, type SaliencyMap } from 'fastcam/viz';

export async function explained(bytes: Uint8Array, picture: Picture): Promise<DrawnPicture> {
  const backend: Backend = 'auto';
  const kernels: Kernels = await makeKernels(backend);
  const net: ExplainingNetwork = await loadNetwork(bytes, { kernels, precision: 'f16' });
  const explanation: Explanation = net.explain(picture, { statistic: 'smoe', target: 3 });
  const map: SaliencyMap = explanation.combinedMap;
  const told: string | undefined = kernels.fallback;
  net.dispose();
  kernels.dispose();
  heatMap([map], [8, 8]);
  keepMask(map, 0.1);
  return told === undefined ? explanation.lovi() : lovi([map], [8, 8]);
}

export function divided(net: ExplainingNetwork, picture: Picture): Promise<TiledExplanation> {
  const { width, height } = picture;
  return explainTiled(net, { width, height, read: () => picture }, { tile: 1024 });
}

export function streamed(net: ExplainingNetwork, frames: readonly Picture[]): DrawnPicture {
  const options: StreamOptions = { width: 64, height: 48, momentum: 0.1 };
  const stream = makeStream(net, options);
  const { width, height } = stream;
  const out = stream.buffers('lovi', 'scaleMaps');
  const all: FrameBuffers = out;
  for (const { data } of frames) stream.run(data, all);
  return { data: out.lovi, width, height };
}

export function threaded(options: ThreadedOptions): Promise<Kernels> {
  return makeThreaded(options);
}

export function retrained(
  net: RecognizedNetwork,
  examples: Examples,
  options: TrainOptions,
): Promise<TensorSource> {
  return train(net, examples, options);
}

export function inserted(
  net: ExplainingNetwork,
  picture: Float32Array,
  map: Float32Array,
): PixelCurve {
  const probe = new ClassProbe(net, { data: picture, H: 8, W: 8 });
  return pixelCurve(probe, insertionEnds(probe.input), pixelOrder(map), 4);
}

export const others: unknown[] = [
  instrumentOnnx,
  jsKernels().name,
  STATISTICS.smoe,
  CAM_METHODS,
  parseSafetensors,
  loadOnnx,
  FormatError,
];
