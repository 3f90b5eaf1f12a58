// Times an ONNX file on fastcam: node race-fastcam.mjs FILE DIMS auto|js|simd|relaxed [runs]. It runs the network with its
// saliency, from a tensor to the combined map; only the logits if the network has no scale ends. Prints the times until
// the first explanation, from the start of the process and from when the bytes were in memory; then the median of the
// runs. DIMS: see onnx-picture.mjs.
import { readFileSync } from 'node:fs';
import { makeKernels } from '../../dist/kernels/index.js';
import { loadNetwork } from '../../dist/onnx.js';
import { pictureOf } from './onnx-picture.mjs';

const [file, about, backend = 'auto', runs = '3'] = process.argv.slice(2);
const { planes, C, H, W } = pictureOf(JSON.parse(about));
const bytes = readFileSync(file);
const start = performance.now();
const kernels = await makeKernels(backend);
const net = await loadNetwork(bytes, { kernels, name: file, size: [H, W] });
const loadedMs = performance.now() - start;
const hasScales = net.scales.length > 0;

function run() {
  if (!hasScales) return logitsAlone();
  const explanation = net.explain({ data: planes, shape: [1, C, H, W] });
  explanation.combinedMap;
  return explanation.logits;
}

function logitsAlone() {
  const pass = net.forward(1, H, W, { taps: false });
  const pixels = H * W;
  for (let i = 0; i < planes.length; i++)
    pass.input[i] = planes[(i % C) * pixels + Math.floor(i / C)];
  pass.run();
  return pass.logits;
}

const logits = [...run()];
const end = performance.now();
run();
const ms = [];
for (let i = 0; i < Number(runs); i++) {
  const begin = performance.now();
  run();
  ms.push(performance.now() - begin);
}
ms.sort((a, b) => a - b);
console.log(
  JSON.stringify({
    peer: `fastcam ${kernels.name}`,
    medianMs: ms[ms.length >> 1],
    minMs: ms[0],
    loadedMs,
    coldMs: end - start,
    // performance.now() counts from the start of the process.
    processMs: end,
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
    scales: net.scales.length,
    logits,
  }),
);
