// The race of run.mjs in a page: fastcam, TensorFlow.js and onnxruntime-web in turns, and posts the times. See page.mjs.
import * as tf from '@tensorflow/tfjs';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { Network } from '../../dist/model/index.js';
import { combined, normalized } from '../../dist/node/measured-cost.js';
import { noiseImage } from '../../dist/node/noise-model.js';
import { makeKernels } from '../../dist/threads.js';
import { networkNamed, SIZE } from './network.mjs';
import { onnxOf } from './onnx.mjs';
import { tfjsForward } from './tfjs-network.mjs';

/** Threads of onnxruntime and of TensorFlow.js look for work for a while after a run, and keep a core busy. */
const REST_MS = 200;

const { architecture, threads, rounds } = await (await fetch('/options.json')).json();
const network = networkNamed(architecture);
const image = noiseImage(SIZE);

/** A pass with its saliency, and the logits of the last one. */
async function fastcam() {
  const kernels = await makeKernels({ threads });
  const net = new Network(network.source, { kernels }).packAll();
  const pass = net.forward(1, SIZE, SIZE);
  const run = () => {
    pass.input.set(image);
    pass.run();
    combined(normalized(pass, kernels), SIZE, kernels);
    return pass.logits;
  };
  return { peer: `fastcam ${kernels.name}`, threads: kernels.threads ?? 1, run };
}

async function tensorflow() {
  setWasmPaths('/tfjs/');
  setThreadsCount(threads);
  await tf.setBackend('wasm');
  await tf.ready();
  const forward = tfjsForward(network);
  const input = tf.tensor(image, [1, SIZE, SIZE, 3]);
  const run = async () => {
    const y = forward(input);
    const logits = await y.data();
    y.dispose();
    return logits;
  };
  const isThreaded = await tf.env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT');
  return { peer: 'tfjs wasm', threads: isThreaded ? threads : 1, run };
}

async function onnxruntime() {
  const ort = await import('/ort/ort.wasm.bundle.min.mjs');
  ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create(onnxOf(network), {
    executionProviders: ['wasm'],
  });
  const pixels = SIZE * SIZE;
  const planes = image.map((_, i) => image[(i % pixels) * 3 + Math.floor(i / pixels)]);
  const input = new ort.Tensor('float32', planes, [1, 3, SIZE, SIZE]);
  const run = async () => {
    const results = await session.run({ [session.inputNames[0]]: input });
    return results[session.outputNames[0]].data;
  };
  return { peer: 'onnxruntime-web wasm', threads: ort.env.wasm.numThreads, run };
}

async function race() {
  const racers = [await fastcam(), await tensorflow(), await onnxruntime()];
  for (const racer of racers) racer.logits = (await racer.run()).slice();
  const [ours, ...theirs] = racers;
  const largest = Math.max(...ours.logits.map(Math.abs));
  for (const { peer, logits } of theirs) {
    const off = Math.max(...ours.logits.map((logit, i) => Math.abs(logit - logits[i]))) / largest;
    if (!(off <= 1e-3)) throw new Error(`${peer}: logits are off by ${off} of the largest`);
  }
  const times = racers.map(() => []);
  for (let round = -2; round < rounds; round++) {
    for (const [i, { run }] of racers.entries()) {
      // Until the threads of the one before sleep.
      await new Promise((done) => setTimeout(done, REST_MS));
      const start = performance.now();
      await run();
      if (round >= 0) times[i].push(performance.now() - start);
    }
  }
  return racers.map(({ peer, threads }, i) => ({ peer, threads, ms: times[i] }));
}

const outcome = await race().catch((error) => ({ failure: `${error}\n${error.stack}` }));
await fetch('/report', { method: 'POST', body: JSON.stringify(outcome) });
