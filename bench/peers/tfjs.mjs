// A network, 1×224×224×3, on TensorFlow.js, one thread: node tfjs.mjs wasm|cpu [runs] [resnet50|vgg16|…]. Prints the median
// and the least of the runs in ms.
import { createRequire } from 'node:module';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { noiseImage } from '../../dist/node/noise-model.js';
import { checkLogits } from './check.mjs';
import { networkNamed, SIZE } from './network.mjs';
import { tfjsForward } from './tfjs-network.mjs';

const [backend = 'wasm', runs = backend === 'cpu' ? 1 : 7, architecture = 'resnet50'] =
  process.argv.slice(2);
const peer = `tfjs ${backend}`;
if (backend === 'wasm') {
  setWasmPaths(
    `${path.dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`,
  );
  setThreadsCount(1);
}
await tf.setBackend(backend);
await tf.ready();

const forward = tfjsForward(networkNamed(architecture));
const image = tf.tensor(noiseImage(SIZE), [1, SIZE, SIZE, 3]);

async function run() {
  const start = performance.now();
  const y = forward(image);
  const logits = await y.data();
  y.dispose();
  return { logits, ms: performance.now() - start };
}

const first = await run();
checkLogits(peer, architecture, first.logits);
// On `cpu` a pass takes seconds: the first counts.
const ms = backend === 'cpu' ? [first.ms] : [];
if (backend !== 'cpu') await run();
while (ms.length < Number(runs)) ms.push((await run()).ms);
ms.sort((a, b) => a - b);
console.log(JSON.stringify({ peer, threads: 1, medianMs: ms[ms.length >> 1], minMs: ms[0] }));
process.exit(0);
