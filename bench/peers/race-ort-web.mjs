// Times an ONNX file on onnxruntime-web's WASM backend, one thread: node race-ort-web.mjs FILE DIMS [runs]. Only the
// network. With `about` in place of DIMS it prints the file's description of its input. Figures as in race-fastcam.mjs.
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-web/wasm';
import { asInput, pictureOf } from './onnx-picture.mjs';

const [file, about, runs = '3'] = process.argv.slice(2);
const isQuestion = about === 'about';
const picture = isQuestion ? undefined : pictureOf(JSON.parse(about));
const bytes = readFileSync(file);
ort.env.wasm.numThreads = 1;
const start = performance.now();
const session = await ort.InferenceSession.create(bytes, {
  executionProviders: ['wasm'],
  logSeverityLevel: 3,
});
const loadedMs = performance.now() - start;
if (isQuestion) {
  const [{ name, shape, type }] = session.inputMetadata;
  console.log(JSON.stringify({ name, shape, type }));
  process.exit(0);
}

const { data, shape, type } = asInput(picture, JSON.parse(about));
const feeds = { [session.inputNames[0]]: new ort.Tensor(type, data, shape) };
const run = async () => (await session.run(feeds))[session.outputNames[0]].data;
const logits = [...(await run())].map(Number);
const end = performance.now();
await run();
const ms = [];
for (let i = 0; i < Number(runs); i++) {
  const begin = performance.now();
  await run();
  ms.push(performance.now() - begin);
}
ms.sort((a, b) => a - b);
console.log(
  JSON.stringify({
    peer: 'onnxruntime-web wasm',
    medianMs: ms[ms.length >> 1],
    minMs: ms[0],
    loadedMs,
    coldMs: end - start,
    processMs: end,
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
    logits,
  }),
);
process.exit(0);
