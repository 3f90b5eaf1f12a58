/** The built worker in workerd, by plain miniflare: it forbids code from strings, as the edge does. */

import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Miniflare } from 'miniflare';

const BUILT = fileURLToPath(new URL('../dist/', import.meta.url));
const TYPES = { js: 'ESModule', wasm: 'CompiledWasm', safetensors: 'Data', onnx: 'Data' };
const ENDINGS = /\.(js|wasm|safetensors|onnx)$/;

/** 2048 pages of 64 KiB: the 128 MB that the edge gives, which workerd does not count by itself. */
process.env.MINIFLARE_WORKERD_V8_FLAGS = '--wasm-max-mem-pages=2048';

/**
 * What makes a built worker one of miniflare's.
 *
 * @param folder of dist, that of the worker for an ONNX file, else the usual one's
 */
export function built(options = {}, folder = '') {
  const own = `${BUILT}${folder}`;
  const upload = `${own}wrangler/`;
  // What wrangler would upload, where it ran: from Node 22 on.
  const dist = existsSync(upload) ? upload : own;
  const files = readdirSync(dist).filter((file) => ENDINGS.test(file));
  // The first module is the worker.
  files.sort((a, b) => Number(b.endsWith('.js')) - Number(a.endsWith('.js')));
  return {
    modules: files.map((file) => ({
      type: TYPES[ENDINGS.exec(file)[1]],
      path: `${dist}${file}`,
    })),
    modulesRoot: dist,
    compatibilityDate: '2026-07-30',
    compatibilityFlags: ['nodejs_compat'],
    ...options,
  };
}

/**
 * Starts workerd.
 *
 * @param options of the worker, or `workers`, the first of them
 */
export async function start(options = {}) {
  const { workers } = options;
  let log = '';
  const collect = (stream) => {
    stream.on('data', (text) => {
      log += text;
    });
  };
  const miniflare = new Miniflare({
    ...(workers ? { workers } : built(options)),
    handleRuntimeStdio: (stdout, stderr) => {
      collect(stdout);
      collect(stderr);
    },
  });
  await miniflare.ready;
  const request = async (path, init = {}) => {
    const response = await miniflare.dispatchFetch(`https://fastcam.example${path}`, init);
    const bytes = Buffer.from(await response.arrayBuffer());
    const type = response.headers.get('content-type');
    const json = type === 'application/json' ? JSON.parse(bytes.toString()) : undefined;
    return { status: response.status, headers: response.headers, type, bytes, json };
  };
  return {
    miniflare,
    request,
    post: (path, body, type = 'image/png', headers = {}) =>
      request(path, { method: 'POST', body, headers: { 'content-type': type, ...headers } }),
    log: () => log,
    /** How often weights were loaded. */
    loads: () => log.split('model loaded:').length - 1,
    stop: () => miniflare.dispose(),
  };
}

/** Asks until there is an answer. */
export async function eventually(ask, seconds = 20) {
  for (let i = 0; i < 10 * seconds; i++) {
    const answer = await ask();
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nothing after ${seconds} s`);
}

/** Waits for the next minute where this one is nearly over: miniflare counts requests anew with each. */
export async function minuteAhead() {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 15_000) await new Promise((resolve) => setTimeout(resolve, left));
}
