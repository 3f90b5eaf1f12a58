/** The network: loaded when first asked for, once for each isolate. */

import { type ExplainingNetwork, type LoadOptions, makeKernels } from 'fastcam';
import type { Env } from './env.js';
import { LIMITS } from './limits.js';
import { Problem } from './problem.js';

/** A network in the bundle, and what loads such files. */
export interface Bundled extends Pick<LoadOptions, 'labels' | 'preprocessing'> {
  readonly name: string;
  readonly weights: ArrayBuffer;
  loadNetwork(
    file: ArrayBuffer | ReadableStream<Uint8Array>,
    options: LoadOptions,
  ): Promise<ExplainingNetwork>;
}

let bundled: Bundled | undefined;
let loading: Promise<ExplainingNetwork> | undefined;

/** Says what is in the bundle, before the first request. */
export function bundle(own: Bundled): void {
  bundled = own;
}

/**
 * The network of this isolate. Requests that come while it loads wait for the same load; one that
 * failed is tried again by the next request.
 *
 * @param ctx keeps the load alive when the caller who began it hangs up: others wait for it
 * @throws {Problem} 503 where there is no network to be had
 */
export function theModel(
  env: Env,
  ctx: Pick<ExecutionContext, 'waitUntil'>,
): Promise<ExplainingNetwork> {
  if (loading === undefined) {
    loading = inTime(load(env)).catch((error: unknown) => {
      loading = undefined;
      console.error('model not loaded:', error);
      throw new Problem(503, 'no-model', 'the network could not be loaded', { 'retry-after': '5' });
    });
    ctx.waitUntil(loading.catch(() => {}));
  }
  return loading;
}

async function load(env: Env): Promise<ExplainingNetwork> {
  const kernels = await makeKernels();
  const { MODELS, MODEL_KEY: key = 'model.safetensors' } = env;
  const { loadNetwork, ...own } = bundled!;
  const source = MODELS ? { weights: await storedModel(MODELS, key), name: key } : own;
  const { weights, ...about } = source;
  const net = await loadNetwork(weights, { ...about, kernels, budgetBytes: LIMITS.budgetBytes });
  checkUsable(net, about.name);
  console.log(`model loaded: ${about.name}, ${net.weightBytes} bytes, ${kernels.name}`);
  return net;
}

/** @throws for a network that no picture can be explained by */
function checkUsable({ channels, preprocessing, scales }: ExplainingNetwork, name: string): void {
  if (preprocessing.channels === 'other') {
    throw new Error(`${name} takes ${channels} channels, and a picture has 3, or 1 as grey`);
  }
  if (scales.length === 0) throw new Error(`${name} has no scales that it could be explained by`);
}

async function storedModel(
  bucket: R2Bucket,
  key: string,
): Promise<ArrayBuffer | ReadableStream<Uint8Array>> {
  const object = await bucket.get(key);
  if (object === null) throw new Error(`${key} is not in the bucket`);
  if (object.size <= LIMITS.weightsBytes) {
    // Of an ONNX file all is wanted at once: joined from a stream it would be in memory twice.
    return key.endsWith('.onnx') ? object.arrayBuffer() : object.body;
  }
  await object.body.cancel();
  throw new Error(`${key} has ${object.size} bytes, at most ${LIMITS.weightsBytes} are loaded`);
}

/** A load that never ends would be waited for by every request to come. */
function inTime<T>(promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`not there after ${LIMITS.modelMs} ms`);
    timer = setTimeout(() => reject(error), LIMITS.modelMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
