/** The methods that are compared, in the worker: with what needs gradients, and loaded on demand. */

import type { ExplainingNetwork, FloatTensor } from 'fastcam';
import { attributionMap, COMPARED_METHODS, withGradients } from 'fastcam/gradients';
import type { MethodResult, MethodSettings } from './network.ts';

/** What the network sees, [height, width, channels]. */
export interface NetworkPixels {
  readonly pixels: Float32Array;
  readonly height: number;
  readonly width: number;
}

export function methodResult(
  plain: ExplainingNetwork,
  seen: NetworkPixels,
  { name, target, size: [height, width] }: MethodSettings,
  onProgress: (done: number) => void,
): MethodResult {
  const net = withGradients(plain);
  const tensor = tensorOf(seen);
  const { method, smoothing } = COMPARED_METHODS.find((one) => one.name === name)!;
  const start = performance.now();
  const now = () => performance.now();
  if (method === 'saliency' || method === 'fastcam') {
    const cam = method === 'saliency' ? 'none' : 'gradcam++';
    const explanation = net.explain(tensor, { cam, target, now });
    const pick = (e: typeof explanation) => (cam === 'none' ? e.combinedMap : e.fastcamMap);
    pick(explanation);
    const ms = performance.now() - start;
    const { arena, maps } = explanation.cost.bytes;
    return { map: pick(explanation.resized(width, height)), ms, bytes: arena + maps };
  }
  const attribution = net.attribute(tensor, { method, smoothing, target, now, onProgress });
  const ms = performance.now() - start;
  const map = attributionMap(attribution, { width, height });
  return { map, ms, bytes: attribution.bytes.pass };
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
