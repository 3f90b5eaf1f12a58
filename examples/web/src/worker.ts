/**
 * The network, off the page's thread: loads weights, holds the picture's pixels, runs forward passes.
 * It goes step by step through the plan, and so can tell how far it is.
 */

import { type FastCam, loadResNet, makeKernels, type Picture, type Statistic } from 'fastcam';
import { fitPicture, layersOf, preprocess } from 'fastcam/model';
import { toNdArray } from 'fastcam/viz';
import imagenetLabels from '../../../models/imagenet-1k-labels.json';
import bundledUrl from '../../../models/tiny-resnet50.safetensors?url';
import bundledLabels from '../../../models/tiny-resnet50-labels.json';
import type { Model, Pass, Reply, Request, WeightsFile } from './network.ts';

/** Pictures with a longer side are reduced to it: browsers hold no canvas of any size. */
const LONGEST_SIDE = 4096;
/** A progress bar needs no more than this many steps a second, and messages take time. */
const PROGRESS_INTERVAL_MS = 40;

type Progress = (done: number) => void;

let net: FastCam | undefined;
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
      const model = await load(request.file, onProgress);
      send({ id, result: model }, [model.classWeights.buffer]);
    } else if (request.kind === 'show') {
      picture = pixelsOf(request.bitmap);
      send({ id, result: undefined });
    } else {
      const pass = runPass(request.statistic, onProgress);
      const arrays = [pass.logits, pass.features, ...pass.rawMaps.map(({ data }) => data)];
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

async function load(file: WeightsFile | undefined, onProgress: Progress): Promise<Model> {
  const { name, bytes, labels } = file ?? {
    name: 'tiny ResNet-50',
    bytes: await download(bundledUrl, onProgress),
    labels: bundledLabels,
  };
  // Kernels of its own: weights that turn out to be wrong leave the network that is there alone.
  const kernels = await makeKernels();
  const options = { kernels, name, ...(labels && { labels }) };
  net = await loadResNet(bytes, options);
  const { classes } = net.architecture;
  return {
    name,
    backend: kernels.name,
    labels: labels ?? (isNumbered(net) && classes === 1000 ? imagenetLabels : net.labels),
    classWeights: classifierOf(net),
  };
}

async function download(url: string, onProgress: Progress): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new Error(`${url}: ${response.status}`);
  const total = Number(response.headers.get('content-length'));
  let received = 0;
  const counted = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      received += chunk.length;
      if (total > 0) onProgress(Math.min(received / total, 1));
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(counted)).arrayBuffer();
}

/** Whether the file names no classes, so that numbers stand in for them. */
function isNumbered({ labels }: FastCam): boolean {
  return labels.every((label, index) => label === String(index));
}

/** The classifier's rows, [classes, C]. */
function classifierOf(network: FastCam): Float32Array<ArrayBuffer> {
  const { Cin, Cout } = layersOf(network.architecture).fc;
  const weights = new Float32Array(Cout * Cin);
  for (let i = 0; i < Cout; i++) network.classWeights(weights.subarray(i * Cin, (i + 1) * Cin), i);
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

function runPass(statistic: Statistic, onProgress: Progress): Pass {
  if (!net) throw new Error('No network is loaded.');
  if (!picture) throw new Error('There is no picture to look at.');
  const start = performance.now();
  const { size, cropRatio } = net.preprocessing;
  const geometry = fitPicture(picture.width, picture.height, 'whole', size, cropRatio);
  const { window } = geometry;
  const forward = net.forward(1, window.height, window.width, { statistic });
  preprocess(forward.input, picture, geometry, net.preprocessing);

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
    features: forward.features.slice(),
    featureSize: [featureShape.H, featureShape.W],
    ms,
    passes,
  };
}
