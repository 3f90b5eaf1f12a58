// What several threads gain: a network with its saliency at 224×224 on one thread and on several, in turns in one process.
//
//   npm run bench:threads [-- --threads 2] [--network resnet50,mobilenetv2] [--backend auto] [--rounds 25] [--layers]
//
// It compares all results bit for bit before it measures. --layers prints each step of the network.

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { networkOf } from '../dist/explain.js';
import { namedArchitecture } from '../dist/node/architectures.js';
import { combined, normalized } from '../dist/node/measured-cost.js';
import { noiseImage, noiseWeights } from '../dist/node/noise-model.js';
import { median, sampleRounds, time } from '../dist/node/stopwatch.js';
import { makeKernels } from '../dist/threads.js';
import { mobileNetwork } from './mobile-networks.mjs';

const SIZE = 224;

const { values: options } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    network: { type: 'string', default: 'resnet50,mobilenetv2' },
    backend: { type: 'string', default: 'auto' },
    rounds: { type: 'string', default: '25' },
    layers: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);
const teams = [];
for (const threads of [1, Number(options.threads)]) {
  teams.push(await makeKernels({ backend: options.backend, threads }));
}
const [, { name, threads = 1, fallback }] = teams;
if (threads === 1) throw new Error(fallback);

console.log(
  `1×3×${SIZE}×${SIZE} with saliency, backend ${name}, ${threads} threads, medians of ${rounds} rounds in turns; Node ${process.versions.node}, ${cpus()[0].model.trim()}, ${cpus().length} CPUs`,
);
const table = newTable(['network', 'one thread, ms', `${threads} threads, ms`, 'ratio']);
for (const network of options.network.split(',')) {
  const runs = teams.map((kernels) => runOf(network, kernels));
  compare(runs.map(({ pass }) => pass));
  table.push([network, ...ratioOf(sampleRounds(rounds, () => runs.map(({ run }) => time(run))))]);
  if (options.layers) console.log(layerTable(runs.map(({ pass }) => pass)).toString());
}
console.log(table.toString());
for (const kernels of teams) kernels.dispose();

/** The forward pass of a network, and what runs it with its saliency. */
function runOf(network, kernels) {
  const net = networkOf(weightsOf(network), { kernels });
  const pass = net.forward(1, SIZE, SIZE);
  pass.input.set(noiseImage(SIZE));
  const run = () => {
    pass.run();
    combined(normalized(pass, kernels), SIZE, kernels);
  };
  run();
  return { pass, run };
}

function weightsOf(network) {
  const graph = mobileNetwork(network);
  if (!graph) return noiseWeights(namedArchitecture(network));
  const weights = graph.nodes.flatMap(({ operator }) => operator.weight ?? []);
  const source = noiseWeights(weights.map(({ name, shape }) => [name, shape]));
  const architecture = { family: network, classes: graph.classes };
  return { graph, source, architecture, activation: 'softmax', warnings: [], assumed: [] };
}

function compare(passes) {
  const [one, several] = passes.map(({ logits, maps }) => [logits, ...maps].map((x) => x.slice()));
  const isSame = one.every((x, i) => x.every((value, j) => Object.is(value, several[i][j])));
  if (!isSame) throw new Error('the results differ');
}

function layerTable(passes) {
  const steps = newTable(['step', 'output', 'one thread, ms', `${threads} threads, ms`, 'ratio']);
  passes[0].plan.steps.forEach(({ op, shape }, i) => {
    const samples = passes.map((pass) => sampleRounds(rounds, () => time(() => pass.runStep(i))));
    const extents = typeof shape === 'string' ? shape : `${shape.Hout}×${shape.Wout}×${shape.Cout}`;
    const pairs = samples[0].map((ms, round) => [ms, samples[1][round]]);
    steps.push([passes[0].algorithm(i) ?? op, extents, ...ratioOf(pairs)]);
  });
  return steps;
}

/** Medians and their ratio. */
function ratioOf(pairs) {
  const [one, several] = [0, 1].map((i) => median(pairs.map((pair) => pair[i])));
  return [one.toFixed(2), several.toFixed(2), (several / one).toFixed(3)];
}

function newTable(head) {
  return new Table({
    head,
    colAligns: head.map((_, i) => (i < head.length - 3 ? 'left' : 'right')),
    style: { head: [], border: [] },
  });
}
