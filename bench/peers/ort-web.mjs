// A network, 1×3×224×224, on onnxruntime-web's WASM backend: node ort-web.mjs [runs] [resnet50|vgg16|…] [threads]. Prints
// the median and the least of the runs in ms, and the time from the bytes of the model in memory to the first result.
import { noiseImage } from '../../dist/node/noise-model.js';
import { checkLogits } from './check.mjs';
import { networkNamed, SIZE } from './network.mjs';
import { onnxOf } from './onnx.mjs';

const [runs = 7, architecture = 'resnet50', threads = '1'] = process.argv.slice(2);
const numThreads = Number(threads);
// Its entry for WASM alone finds no second thread in Node.
const ort = await import(numThreads > 1 ? 'onnxruntime-web' : 'onnxruntime-web/wasm');
const peer = 'onnxruntime-web wasm';
const network = networkNamed(architecture);
const model = onnxOf(network);
const image = noiseImage(SIZE);
const pixels = SIZE * SIZE;
const channels = image.length / pixels;
const planes = image.map((_, i) => image[(i % pixels) * channels + Math.floor(i / pixels)]);

ort.env.wasm.numThreads = numThreads;
const created = performance.now();
const session = await ort.InferenceSession.create(model, { executionProviders: ['wasm'] });
const input = new ort.Tensor('float32', planes, [1, channels, SIZE, SIZE]);
const run = () => session.run({ [session.inputNames[0]]: input });
const first = await run();
const coldMs = performance.now() - created;
checkLogits(peer, architecture, first[session.outputNames[0]].data);
await run();
const ms = [];
for (let i = 0; i < Number(runs); i++) {
  const start = performance.now();
  await run();
  ms.push(performance.now() - start);
}
ms.sort((a, b) => a - b);
console.log(
  JSON.stringify({
    peer,
    threads: numThreads,
    medianMs: ms[ms.length >> 1],
    minMs: ms[0],
    coldMs,
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
  }),
);
process.exit(0);
