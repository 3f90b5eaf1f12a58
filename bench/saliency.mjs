// What saliency costs: the same ResNet-50 plan with and without taps, 1×224×224, step by step side by side.
//
//   npm run bench:saliency [-- --backend auto|js|simd|relaxed] [--rounds 40]
//
// Whole passes differ by more than 1 % from one to the next on a busy machine, so every step is run in both plans one
// right after the other, in turns first; a tap's price is the median of the differences. Normalisation and combination
// are timed in the same rounds.

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { makeKernels } from '../dist/kernels/index.js';
import { ARCHITECTURES, ResNet } from '../dist/model/index.js';
import { noiseImage, noiseWeights } from '../dist/node/noise-model.js';
import { combineMaps, normalizeGaussian, toNdArray } from '../dist/viz/index.js';

const { values: options } = parseArgs({
  options: {
    backend: { type: 'string', default: 'auto' },
    rounds: { type: 'string', default: '40' },
  },
});
const rounds = Number(options.rounds);
const backend = (await makeKernels(options.backend)).name;
const image = noiseImage(224);
const withTaps = await prepare(true);
const bare = await prepare(false);
const { taps, steps } = withTaps.plan;

const bareMs = steps.map(() => []);
const tapMs = steps.map(() => []);
const normalizeMs = [];
const combineMs = [];
for (let round = 0; round < rounds; round++) {
  withTaps.fill();
  bare.fill();
  for (let i = 0; i < steps.length; i++) {
    const order = round % 2 ? [bare, withTaps] : [withTaps, bare];
    const ms = order.map((pass) => time(() => pass.runStep(i)));
    const [bareStep, tapStep] = round % 2 ? ms : ms.reverse();
    bareMs[i].push(bareStep);
    tapMs[i].push(tapStep - bareStep);
  }
  let maps;
  normalizeMs.push(
    time(() => {
      maps = taps.map(({ H, W }, i) => {
        const normalized = new Float32Array(H * W);
        normalizeGaussian(normalized, withTaps.smoe(i));
        return toNdArray(normalized, [H, W]);
      });
    }),
  );
  combineMs.push(time(() => combineMaps(maps, [224, 224])));
}

const network = bareMs.reduce((sum, ms) => sum + median(ms), 0);
const tapped = steps.flatMap((step, i) => (step.smoe === undefined ? [] : [median(tapMs[i])]));
const rows = [
  ['network without taps', network],
  ...tapped.map((ms, i) => [`tap ${taps[i].name}`, ms]),
  ['Gaussian CDF of the five maps', median(normalizeMs)],
  ['combination into 224×224', median(combineMs)],
  [
    'saliency in all',
    tapped.reduce((sum, ms) => sum + ms, median(normalizeMs) + median(combineMs)),
  ],
];
const table = new Table({
  head: ['', 'ms', 'of the network'],
  colAligns: ['left', 'right', 'right'],
  style: { head: [], border: [] },
});
for (const [name, ms] of rows)
  table.push([name, ms.toFixed(2), `${((100 * ms) / network).toFixed(2)} %`]);
console.log(
  `Backend ${backend}, Node ${process.versions.node}, ${cpus()[0].model.trim()}, medians of ${rounds} rounds`,
);
console.log(table.toString());

/** A network of its own, so that both plans stay bound. */
async function prepare(withThem) {
  const kernels = await makeKernels(options.backend);
  const net = new ResNet(noiseWeights(ARCHITECTURES.resnet50), { kernels });
  const pass = net.forward(1, 224, 224, { taps: withThem });
  return {
    plan: pass.plan,
    fill: () => pass.input.set(image),
    runStep: (i) => pass.runStep(i),
    smoe: (i) => pass.maps[i],
  };
}

function time(action) {
  const start = performance.now();
  action();
  return performance.now() - start;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
