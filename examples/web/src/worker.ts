/**
 * The network, off the page's thread: loads weights, holds the picture's pixels, runs forward passes.
 * It goes step by step through the plan, and so can tell how far it is.
 */

import { type ExplainingNetwork, loadNetwork, makeKernels, networkOf, type Picture } from 'fastcam';
import { fitPicture, preprocess, preprocessingOfRange, shapesOf } from 'fastcam/model';
import { toNdArray } from 'fastcam/viz';
import imagenetLabels from '../../../models/imagenet-1k-labels.json';
import bundledUrl from '../../../models/tiny-resnet50.safetensors?url';
import bundledLabels from '../../../models/tiny-resnet50-labels.json';
import type { Model, Pass, PassSettings, Reply, Request } from './network.ts';
import type { Source } from './sources.ts';
import type { OwnWeights } from './weights.ts';

/** Pictures with a longer side are reduced to it: browsers hold no canvas of any size. */
const LONGEST_SIDE = 4096;
/** A progress bar needs no more than this many steps a second, and messages take time. */
const PROGRESS_INTERVAL_MS = 40;

type Progress = (done: number) => void;

let net: ExplainingNetwork | undefined;
let picture: Picture | undefined;
let passes = 0;

/** One task after the other, in the order in which they came. */
let queue = Promise.resolve();
addEventListener('message', ({ data }: MessageEvent<Request>) => {
  queue = queue.then(() => answer(data));
});

async function answer(request: Request): Promise<void> {
  const { id } = request;
  let told = performance.now();
  const onProgress = (done: number): void => {
    if (performance.now() - told < PROGRESS_INTERVAL_MS) return;
    told = performance.now();
    send({ id, progress: done });
  };
  try {
    if (request.kind === 'load') {
      const model = await load(request.weights, onProgress);
      send({ id, result: model }, model.classWeights ? [model.classWeights.buffer] : []);
    } else if (request.kind === 'show') {
      picture = pixelsOf(request.bitmap);
      send({ id, result: undefined });
    } else {
      const pass = runPass(request.settings, onProgress);
      const { logits, features, rawMaps } = pass;
      const arrays = [logits, ...(features ? [features.data] : []), ...rawMaps.map((m) => m.data)];
      send(
        { id, result: pass },
        arrays.map(({ buffer }) => buffer),
      );
    }
  } catch (error) {
    send({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

function send(reply: Reply, transfer: Transferable[] = []): void {
  postMessage(reply, { transfer });
}

async function load(weights: OwnWeights | undefined, onProgress: Progress): Promise<Model> {
  // Kernels of its own: weights that turn out to be wrong leave the network that is there alone.
  const kernels = await makeKernels();
  const source = weights && (await opened(weights, onProgress));
  const name = source?.network.source.name ?? 'tiny ResNet-50';
  const labels = weights ? weights.labels : bundledLabels;
  const options = { kernels, name, ...(labels && { labels }) };
  const loaded = source
    ? networkOf(source.network, options)
    : await loadNetwork(await bundledStream(), {
        ...options,
        onProgress: (bytes, total) => onProgress(bytes / total),
      });
  try {
    checkUsable(loaded, name);
  } catch (error) {
    loaded.dispose();
    throw error;
  }
  net?.dispose();
  net = loaded;
  const { activation, channels, scales, warnings } = loaded;
  const classWeights = classifierOf(loaded);
  return {
    name,
    backend: kernels.name,
    labels: labels ?? labelsOf(loaded),
    activation,
    scales,
    warnings,
    channels,
    isOwn: source !== undefined,
    ...(source?.pixels !== undefined && { pixels: source.pixels }),
    ...(classWeights && { classWeights }),
  };
}

/** The first picture is explained without them: what reads other networks is loaded when they come. */
async function opened({ files }: OwnWeights, onProgress: Progress): Promise<Source> {
  const { openNetwork } = await import('./sources.ts');
  return openNetwork(files, onProgress);
}

async function bundledStream(): Promise<ReadableStream<Uint8Array>> {
  const response = await fetch(bundledUrl);
  if (!response.ok || !response.body) throw new Error(`${bundledUrl}: ${response.status}`);
  return response.body;
}

/** @throws for a network that this page has no use for */
function checkUsable({ channels, preprocessing, scales }: ExplainingNetwork, name: string): void {
  if (preprocessing.channels === 'other') {
    throw new Error(`${name}: takes ${channels} channels, and a picture has 3, or 1 as grey.`);
  }
  if (scales.length === 0)
    throw new Error(`${name}: no scale ends in this network: nothing to see.`);
}

/** Where the file names no classes, numbers stand in for them. */
function labelsOf({ labels }: ExplainingNetwork): readonly string[] {
  if (labels.some((label, index) => label !== String(index))) return labels;
  return labels.length === 1000 ? imagenetLabels : labels.map((number) => `class ${number}`);
}

/** The classifier's rows, [classes, C], where it is linear in the features. */
function classifierOf(network: ExplainingNetwork): Float32Array<ArrayBuffer> | undefined {
  const { graph, features } = network.prepared;
  if (features === undefined) return undefined;
  const { size } = network.preprocessing;
  const { C } = shapesOf(graph, ...(network.fixedSize ?? ([size, size] as const)))[features]!;
  const classes = network.labels.length;
  const weights = new Float32Array(classes * C);
  for (let i = 0; i < classes; i++) network.classWeights(weights.subarray(i * C, (i + 1) * C), i);
  return weights;
}

function pixelsOf(bitmap: ImageBitmap): Picture {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const context = new OffscreenCanvas(width, height).getContext('2d', {
    willReadFrequently: true,
  })!;
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

function runPass({ statistic, pixels }: PassSettings, onProgress: Progress): Pass {
  if (!net) throw new Error('No network is loaded.');
  if (!picture) throw new Error('There is no picture to look at.');
  const start = performance.now();
  const preprocessing = {
    ...net.preprocessing,
    ...(pixels !== 'said' && preprocessingOfRange(pixels, net.channels)),
  };
  const { cropRatio } = preprocessing;
  const size = net.fixedSize ?? preprocessing.size;
  const { stride } = net.prepared;
  const geometry = fitPicture(picture.width, picture.height, 'whole', size, cropRatio, stride);
  const { window } = geometry;
  const forward = net.forward(1, window.height, window.width, { statistic });
  preprocess(forward.input, picture, geometry, preprocessing);

  const ready = performance.now();
  const { steps, taps, featureShape } = forward.plan;
  for (let i = 0; i < steps.length; i++) {
    forward.runStep(i);
    onProgress((i + 1) / steps.length);
  }
  passes++;
  const ms = { preprocess: ready - start, network: performance.now() - ready };
  performance.measure('forward pass', { start: ready });
  if (!forward.logits.every(Number.isFinite)) {
    throw new Error('The network overflows: its weights are not what they were taken for.');
  }
  // Copies: the next pass overwrites the arena.
  return {
    statistic,
    rawMaps: taps.map(({ H, W }, i) => toNdArray(forward.maps[i]!.slice(), [H, W])),
    logits: forward.logits.slice(),
    ...(featureShape && {
      features: { data: forward.features.slice(), size: [featureShape.H, featureShape.W] },
    }),
    ms,
    passes,
  };
}
