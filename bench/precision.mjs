// What a precision of the weights at rest costs in accuracy and in time, on labelled pictures:
//
//   npm run bench:precision -- --pictures FILE [--model bundled|FILE] [--backend auto|js|simd|relaxed]
//
// FILE is a safetensors with `images` [N, H, W, 3] U8 and `labels` [N] I64. Every picture is explained in every
// precision, one right after the other.

import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { PRECISIONS } from '../dist/kernels/index.js';
import { parseSafetensors } from '../dist/model/index.js';
import { openModel } from '../dist/node/index.js';

const { values: options } = parseArgs({
  options: {
    pictures: { type: 'string' },
    model: { type: 'string', default: 'bundled' },
    backend: { type: 'string', default: 'auto' },
  },
});
if (!options.pictures) throw new Error('--pictures FILE is missing');
const file = parseSafetensors(readFileSync(options.pictures), options.pictures);
const [N, height, width] = file.tensors.get('images').shape;
const images = file.bytes('images');
const labels = new BigInt64Array(Uint8Array.from(file.bytes('labels')).buffer);

const models = await Promise.all(
  PRECISIONS.map(async (precision) => {
    const { net, backend } = await openModel({
      model: options.model,
      backend: options.backend,
      precision,
    });
    return { net, backend, precision, top1: 0, top5: 0, agree: 0, logits: 0, maps: [], ms: 0 };
  }),
);
for (let n = 0; n < N; n++) {
  const picture = { data: rgba(n), width, height };
  let reference;
  for (const model of models) {
    const start = performance.now();
    const explanation = model.net.explain(picture);
    const map = explanation.combinedMap.data;
    model.ms += performance.now() - start;
    const top = explanation.top(5).map(({ index }) => index);
    reference ??= { logits: explanation.logits, map, top: top[0] };
    model.top1 += top[0] === Number(labels[n]);
    model.top5 += top.includes(Number(labels[n]));
    model.agree += top[0] === reference.top;
    model.logits = Math.max(model.logits, distance(explanation.logits, reference.logits));
    model.maps.push(distance(map, reference.map));
  }
}

console.log(
  `${options.model} on ${N} pictures, backend ${models[0].backend}, Node ${process.versions.node}, ${cpus()[0].model.trim()}`,
);
const table = new Table({
  head: ['', 'MB', 'top-1', 'top-5', 'agrees with f32', 'logits', 'combined, median', 'ms'],
  colAligns: ['left', ...new Array(7).fill('right')],
  style: { head: [], border: [], compact: true },
});
const percent = (count) => `${((100 * count) / N).toFixed(1)} %`;
for (const { net, precision, top1, top5, agree, logits, maps, ms } of models) {
  table.push([
    precision,
    (net.weightBytes / 1e6).toFixed(2),
    ...[top1, top5, agree].map(percent),
    logits.toExponential(1),
    maps.sort((a, b) => a - b)[N >> 1].toExponential(1),
    (ms / N).toFixed(2),
  ]);
}
console.log(table.toString());
console.log('Logits and maps: largest error of a picture, relative to the largest value of f32.');

function rgba(n) {
  const pixels = height * width;
  const data = new Uint8ClampedArray(4 * pixels).fill(255);
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < 3; c++) data[4 * p + c] = images[(n * pixels + p) * 3 + c];
  }
  return data;
}

function distance(got, expected) {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return got.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0) / largest;
}
