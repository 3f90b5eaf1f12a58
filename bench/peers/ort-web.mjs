// ResNet-50, 1x3x224x224, on onnxruntime-web's WASM backend, one thread. Prints the median and the least of the runs in ms,
// and the time from the bytes of the model in memory to the first result.
import * as ort from 'onnxruntime-web/wasm';
import { fullOnnx } from './full-onnx.mjs';

const runs = Number(process.argv[2] ?? 7);
ort.env.wasm.numThreads = 1;
const model = fullOnnx();
const created = performance.now();
const session = await ort.InferenceSession.create(model, { executionProviders: ['wasm'] });
const input = new ort.Tensor(
  'float32',
  Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(i)),
  [1, 3, 224, 224],
);
await session.run({ input });
const coldMs = performance.now() - created;
await session.run({ input });
const ms = [];
for (let i = 0; i < runs; i++) {
  const start = performance.now();
  await session.run({ input });
  ms.push(performance.now() - start);
}
ms.sort((a, b) => a - b);
console.log(
  JSON.stringify({
    peer: 'onnxruntime-web wasm',
    threads: 1,
    medianMs: ms[runs >> 1],
    minMs: ms[0],
    coldMs,
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
  }),
);
process.exit(0);
