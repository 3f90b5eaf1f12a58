// Measures the cost of each precision of the weights: in time, on a ResNet-50 with random weights; in accuracy, on pictures.
//
//   npm run bench:precision -- [--backend auto|js|simd|relaxed] [--rounds 30] [--size 224]
//   npm run bench:precision -- --pictures FILE [--model bundled|FILE] [--backend …]
//
// Passes in each precision alternate, in another order each round; a ratio is the median over the rounds. They must
// agree with f32 before they are timed. FILE is a safetensors with `images` [N, H, W, 3] U8 and `labels` [N] I64.
// Every picture is explained in every precision, one right after the other.

import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { makeKernels, PRECISIONS } from '../dist/kernels/index.js';
import { Network, parseSafetensors } from '../dist/model/index.js';
import { namedArchitecture } from '../dist/node/architectures.js';
import { openModel } from '../dist/node/index.js';
import { noiseImage, noiseWeights } from '../dist/node/noise-model.js';
import { median, sampleRounds, time } from '../dist/node/stopwatch.js';

/** The largest allowed differences of the logits from those of f32, relative to the largest logit. */
const AGREEMENT = { f32: 0, f16: 5e-3, int8: 5e-2 };

const { values: options } = parseArgs({
  options: {
    backend: { type: 'string', default: 'auto' },
    rounds: { type: 'string', default: '30' },
    size: { type: 'string', default: '224' },
    pictures: { type: 'string' },
    model: { type: 'string', default: 'bundled' },
  },
});
if (options.pictures) await compareAccuracy();
else await compareTimes();

async function compareTimes() {
  const source = noiseWeights(namedArchitecture('resnet50'));
  const size = Number(options.size);
  const image = noiseImage(size);
  const passes = [];
  let backend;
  for (const precision of PRECISIONS) {
    // Each has its own backend, so that all stay bound.
    const kernels = await makeKernels(options.backend);
    const net = new Network(source, { kernels, precision }).packAll();
    const forward = net.forward(1, size, size);
    forward.input.set(image);
    forward.run();
    passes.push({ precision, net, forward, logits: forward.logits.slice() });
    backend = kernels.name;
  }
  for (const { precision, logits } of passes) {
    const error = distance(logits, passes[0].logits);
    if (!(error <= AGREEMENT[precision])) throw new Error(`${precision}: logits off by ${error}`);
  }
  const samples = sampleRounds(Number(options.rounds), (round) => {
    const ms = [];
    for (let i = 0; i < passes.length; i++) {
      const turn = (i + round) % passes.length;
      // Later layers reuse the memory of the input, so it is filled again.
      passes[turn].forward.input.set(image);
      ms[turn] = time(() => passes[turn].forward.run());
    }
    return ms;
  });
  console.log(
    `ResNet-50 of noise at ${size} × ${size}, ${options.rounds} rounds, ${machine(backend)}`,
  );
  const table = makeTable(['', 'MB', 'network, ms', 'of f32']);
  for (const [i, { precision, net }] of passes.entries()) {
    table.push([
      precision,
      (net.weightBytes / 1e6).toFixed(1),
      median(samples.map((ms) => ms[i])).toFixed(1),
      median(samples.map((ms) => ms[i] / ms[0])).toFixed(3),
    ]);
  }
  console.log(table.toString());
}

async function compareAccuracy() {
  const file = parseSafetensors(readFileSync(options.pictures), options.pictures);
  const [N, height, width] = file.tensors.get('images').shape;
  const images = file.bytes('images');
  const labels = new BigInt64Array(Uint8Array.from(file.bytes('labels')).buffer);
  const models = await Promise.all(
    PRECISIONS.map(async (precision) => {
      const { model, backend } = options;
      const opened = await openModel({ model, backend, precision });
      return { ...opened, precision, top1: 0, top5: 0, agree: 0, logits: 0, maps: [], ms: 0 };
    }),
  );
  for (let n = 0; n < N; n++) {
    const pixels = images.subarray(n * height * width * 3, (n + 1) * height * width * 3);
    const picture = { data: rgba(pixels), width, height };
    let reference;
    for (const model of models) {
      let explanation;
      let map;
      model.ms += time(() => {
        explanation = model.net.explain(picture);
        map = explanation.combinedMap.data;
      });
      const top = explanation.top(5).map(({ index }) => index);
      reference ??= { logits: explanation.logits, map, top: top[0] };
      model.top1 += top[0] === Number(labels[n]);
      model.top5 += top.includes(Number(labels[n]));
      model.agree += top[0] === reference.top;
      model.logits = Math.max(model.logits, distance(explanation.logits, reference.logits));
      model.maps.push(distance(map, reference.map));
    }
  }

  console.log(`${options.model} on ${N} pictures, ${machine(models[0].backend)}`);
  const head = ['', 'MB', 'top-1', 'top-5', 'agrees with f32', 'logits', 'combined, median', 'ms'];
  const table = makeTable(head);
  const percent = (count) => `${((100 * count) / N).toFixed(1)} %`;
  for (const { net, precision, top1, top5, agree, logits, maps, ms } of models) {
    table.push([
      precision,
      (net.weightBytes / 1e6).toFixed(2),
      ...[top1, top5, agree].map(percent),
      logits.toExponential(1),
      median(maps).toExponential(1),
      (ms / N).toFixed(2),
    ]);
  }
  console.log(table.toString());
  console.log('Logits and maps: largest error of a picture, relative to the largest value of f32.');
}

function makeTable(head) {
  return new Table({
    head,
    colAligns: ['left', ...new Array(head.length - 1).fill('right')],
    style: { head: [], border: [], compact: true },
  });
}

function machine(backend) {
  return `backend ${backend}, Node ${process.versions.node}, ${cpus()[0].model.trim()}`;
}

function rgba(rgb) {
  const data = new Uint8ClampedArray((4 * rgb.length) / 3).fill(255);
  for (let i = 0; i < rgb.length; i++) data[4 * Math.floor(i / 3) + (i % 3)] = rgb[i];
  return data;
}

function distance(got, expected) {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return got.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0) / largest;
}
