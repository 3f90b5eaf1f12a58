/**
 * The network, off the page's thread: loads weights, holds the picture's pixels, runs forward passes.
 * It goes step by step through the plan, and so can tell how far it is.
 */

import { type ExplainingNetwork, loadNetwork, makeKernels, networkOf, type Picture } from 'fastcam';
import {
  fitPicture,
  type Geometry,
  type Preprocessing,
  preprocess,
  preprocessingOfRange,
  shapesOf,
} from 'fastcam/model';
import imagenetLabels from 'fastcam/models/imagenet-1k-labels.json';
import bundledUrl from 'fastcam/models/tiny-resnet50.safetensors?url';
import { toNdArray } from 'fastcam/viz';
import type { NetworkPixels } from './methods.ts';
import type {
  MethodResult,
  MethodSettings,
  Model,
  Pass,
  PassSettings,
  Reply,
  Request,
} from './network.ts';
import type { OnnxFiles } from './onnx.ts';
import type { InstrumentedNetwork } from './onnxruntime.ts';
import type { Source } from './sources.ts';
import type { OwnWeights } from './weights.ts';

/** Pictures with a longer side are reduced to it: browsers hold no canvas of any size. */
const LONGEST_SIDE = 4096;
/** A progress bar needs no more than this many steps a second, and messages take time. */
const PROGRESS_INTERVAL_MS = 40;

type Progress = (done: number) => void;

let net: ExplainingNetwork | undefined;
/** The file of the network, where it is ONNX. */
let onnx: OnnxFiles | undefined;
/** The same network in onnxruntime-web, once that is asked for, with the maps that were asked for last. */
let instrumented: { readonly key: string; readonly network: InstrumentedNetwork } | undefined;
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
    } else if (request.kind === 'frame') {
      if (!net) throw new Error('No network is loaded.');
      const { liveFrame } = await import('./live-frames.ts');
      const result = liveFrame(net, request.bitmap, request.settings, request.pictures);
      send({ id, result }, [result.picture.buffer, result.overlay.buffer, result.lovi.buffer]);
    } else if (request.kind === 'columns') {
      const { columnsOf } = await import('./columns.ts');
      const { network, seen } = seenBy(request.pixels);
      const result = columnsOf(network, seen);
      send(
        { id, result },
        result.map(({ data }) => data.buffer),
      );
    } else if (request.kind === 'method') {
      const result = await runMethod(request.settings, onProgress);
      send({ id, result }, [result.map.data.buffer as ArrayBuffer]);
    } else {
      const { settings } = request;
      const pass =
        settings.engine === 'fastcam' ? runPass(settings, onProgress) : await runOnnx(settings);
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
  const labels = weights?.labels;
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
  onnx = source?.onnx;
  await releaseInstrumented();
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
    isOnnx: onnx !== undefined,
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

/** How the picture meets the network. @param own the size of its input, where it takes no other */
function geometryOf(
  network: ExplainingNetwork,
  { width, height }: Picture,
  pixels: PassSettings['pixels'],
  own = network.fixedSize,
): { geometry: Geometry; preprocessing: Preprocessing } {
  const preprocessing = {
    ...network.preprocessing,
    ...(pixels !== 'said' && preprocessingOfRange(pixels, network.channels)),
  };
  const size = own ?? preprocessing.size;
  const { stride } = network.prepared;
  const { cropRatio } = preprocessing;
  return { geometry: fitPicture(width, height, 'whole', size, cropRatio, stride), preprocessing };
}

function runPass({ statistic, pixels }: PassSettings, onProgress: Progress): Pass {
  if (!net) throw new Error('No network is loaded.');
  if (!picture) throw new Error('There is no picture to look at.');
  const start = performance.now();
  const { geometry, preprocessing } = geometryOf(net, picture, pixels);
  const { window } = geometry;
  const forward = net.forward(1, window.height, window.width, { statistic });
  preprocess(forward.input, picture, geometry, preprocessing);

  const ready = performance.now();
  const { steps, taps, kept } = forward.plan;
  const featureShape = kept[0]?.shape;
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
    engine: 'Network',
    rawMaps: taps.map(({ H, W }, i) => toNdArray(forward.maps[i]!.slice(), [H, W])),
    logits: forward.logits.slice(),
    ...(featureShape && {
      features: { data: forward.features.slice(), size: [featureShape.H, featureShape.W] },
    }),
    ms,
    passes,
  };
}

/** A method that is compared. Few ask for one: what needs gradients is loaded when somebody does. */
async function runMethod(settings: MethodSettings, onProgress: Progress): Promise<MethodResult> {
  const { methodResult } = await import('./methods.ts');
  const { network, seen } = seenBy(settings.pixels);
  return methodResult(network, seen, settings, onProgress);
}

/** What the network sees of the picture. */
function seenBy(pixels: PassSettings['pixels']): {
  readonly network: ExplainingNetwork;
  readonly seen: NetworkPixels;
} {
  if (!net) throw new Error('No network is loaded.');
  if (!picture) throw new Error('There is no picture to look at.');
  const { geometry, preprocessing } = geometryOf(net, picture, pixels);
  const { height, width } = geometry.window;
  const input = new Float32Array(height * width * net.channels);
  preprocess(input, picture, geometry, preprocessing);
  return { network: net, seen: { pixels: input, height, width } };
}

/** A pass by onnxruntime-web, on the GPU where there is one. */
async function runOnnx(settings: PassSettings): Promise<Pass> {
  if (!net || !onnx) throw new Error('No ONNX file is loaded.');
  if (!picture) throw new Error('There is no picture to look at.');
  const { statistic, pixels, cam, target } = settings;
  const key = `${statistic} ${cam}`;
  if (instrumented?.key !== key) {
    await releaseInstrumented();
    const { InstrumentedNetwork } = await import('./onnxruntime.ts');
    instrumented = {
      key,
      network: await InstrumentedNetwork.open(onnx, { statistic, cam }, net.activation),
    };
  }
  const { network } = instrumented;
  const start = performance.now();
  const { geometry, preprocessing } = geometryOf(net, picture, pixels, network.size);
  const { width, height } = geometry.window;
  const input = new Float32Array(height * width * net.channels);
  preprocess(input, picture, geometry, preprocessing);
  const ready = performance.now();
  const before = network.runs;
  const outcome = await network.run(input, [height, width], target);
  passes += network.runs - before;
  if (net.hasLinearHead && !outcome.cam) {
    throw new Error('The class activation map could not be written into this file.');
  }
  const ms = { preprocess: ready - start, network: performance.now() - ready };
  return {
    statistic,
    engine: `onnxruntime-web, ${network.device},`,
    rawMaps: outcome.scales,
    isNormalized: true,
    logits: outcome.logits,
    ...(outcome.cam && { madeCam: { map: outcome.cam, target: outcome.target! } }),
    ms,
    passes,
  };
}

async function releaseInstrumented(): Promise<void> {
  await instrumented?.network.release();
  instrumented = undefined;
}
