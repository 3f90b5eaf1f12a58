/** The methods that are compared, in the worker: with what needs gradients, and loaded on demand. */

import type { ExplainingNetwork, FloatTensor } from 'fastcam';
import {
  attributionMap,
  COMPARED_METHODS,
  type GradientNetwork,
  withGradients,
} from 'fastcam/gradients';
import type { MethodResult, MethodSettings } from './network.ts';

/** What the network sees, [height, width, channels]. */
export interface NetworkPixels {
  readonly pixels: Float32Array;
  readonly height: number;
  readonly width: number;
}

/** A quick method runs again, so that the browser's compiler has finished: at most so often, and for so long. */
const RUNS = 10;
const REPEAT_MS = 300;

/** Runs a method. Its time is the least of all runs. */
export function methodResult(
  plain: ExplainingNetwork,
  seen: NetworkPixels,
  settings: MethodSettings,
  onProgress: (done: number) => void,
): MethodResult {
  const net = withGradients(plain);
  const tensor = tensorOf(seen);
  const start = performance.now();
  let ms = Number.POSITIVE_INFINITY;
  for (let run = 1; ; run++) {
    const began = performance.now();
    const finish = started(net, tensor, settings, onProgress);
    const now = performance.now();
    ms = Math.min(ms, now - began);
    if (run === RUNS || now - start > REPEAT_MS) return { ...finish(), ms };
  }
}

/** @returns what makes the map at the size of the picture, which is not part of the measured time */
function started(
  net: GradientNetwork,
  tensor: FloatTensor,
  { name, target, size: [height, width] }: MethodSettings,
  onProgress: (done: number) => void,
): () => Omit<MethodResult, 'ms'> {
  const { method, smoothing } = COMPARED_METHODS.find((one) => one.name === name)!;
  if (method === 'saliency' || method === 'fastcam') {
    const cam = method === 'saliency' ? 'none' : 'gradcam++';
    const explanation = net.explain(tensor, { cam, target });
    const pick = (e: typeof explanation) => (cam === 'none' ? e.combinedMap : e.fastcamMap);
    pick(explanation);
    return () => {
      const { arena, maps } = explanation.cost.bytes;
      return { map: pick(explanation.resized(width, height)), bytes: arena + maps };
    };
  }
  const attribution = net.attribute(tensor, { method, smoothing, target, onProgress });
  return () => ({
    map: attributionMap(attribution, { width, height }),
    bytes: attribution.bytes.pass,
  });
}

/** Channels first, as tensors have them. */
function tensorOf({ pixels, height, width }: NetworkPixels): FloatTensor {
  const count = height * width;
  const channels = pixels.length / count;
  const data = new Float32Array(pixels.length);
  for (let p = 0; p < count; p++) {
    for (let c = 0; c < channels; c++) data[c * count + p] = pixels[p * channels + c]!;
  }
  return { data, shape: [1, channels, height, width] };
}
