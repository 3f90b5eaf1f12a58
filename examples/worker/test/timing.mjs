/** What a request takes in workerd, cold and warm, beside the same work in this Node. */

import { setFlagsFromString } from 'node:v8';
import { cat, largePictures, rocket } from './pictures.mjs';
import { start } from './workerd.mjs';

// The worker has relaxed SIMD; Node 20 has it behind a flag.
if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');

const { overlay } = await import('fastcam/viz');
const { bundledModel, decodePicture, encodePng } = await import('fastcam/node');

const ROUNDS = 9;
const { net, backend } = await bundledModel();
const large = await largePictures();

for (const [name, picture, type] of [
  ['chelsea.png', cat, 'image/png'],
  ['rocket.jpg', rocket, 'image/jpeg'],
  ['1280×1024 png', large.png, 'image/png'],
  ['1280×1024 jpg', large.jpeg, 'image/jpeg'],
]) {
  const worker = await start();
  const inWorker = () => worker.post('/explain', picture, type);
  const cold = await milliseconds(inWorker);
  const warm = await medians(inWorker, () => onNode(picture, name));
  await worker.stop();
  const ratio = (warm[0] / warm[1]).toFixed(2);
  console.log(
    `${name} → overlay: workerd cold ${cold.toFixed(0)} ms, warm ${warm[0].toFixed(0)} ms; ` +
      `Node ${process.versions.node} (${backend}) warm ${warm[1].toFixed(0)} ms; ratio ${ratio}`,
  );
}

async function onNode(bytes, name) {
  const picture = await decodePicture(bytes, name);
  return encodePng(overlay(picture, net.explain(picture).fastcamMap));
}

/** Of runs that alternate, so that both meet the same machine. */
async function medians(...runs) {
  const times = runs.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, run] of runs.entries()) times[i].push(await milliseconds(run));
  }
  return times.map((of) => of.sort((a, b) => a - b)[ROUNDS >> 1]);
}

async function milliseconds(run) {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
