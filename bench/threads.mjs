// What several threads gain: a network with its saliency at 224×224 on one thread and on several, in turns in one process.
//
//   npm run bench:threads [-- --threads 2] [--network resnet50,mobilenetv2] [--backend auto] [--rounds 25] [--layers]
//
// It compares all results bit for bit before it measures. Two ratios: of the medians of whole passes; and of the sums of
// each step's least time, which is what is left when the machine's other work is not counted. --layers prints each step.

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
const HEAD = ['one thread, ms', `${threads} threads, ms`, 'ratio', 'ratio of the least'];
const table = newTable(['network', ...HEAD]);
for (const network of options.network.split(',')) {
  const runs = teams.map((kernels) => runOf(network, kernels));
  compare(runs.map(({ pass }) => pass));
  const whole = sampleRounds(rounds, () => runs.map(({ run }) => time(run)));
  const steps = timeSteps(runs.map(({ pass }) => pass));
  const leastOf = (i) => steps.reduce((sum, { samples }) => sum + least(samples, i), 0);
  table.push([network, ...ratioOf(whole), (leastOf(1) / leastOf(0)).toFixed(3)]);
  if (options.layers) console.log(layerTable(steps).toString());
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

/** For each step: the times of each round on one thread and on several. The steps run in the order of the network. */
function timeSteps(passes) {
  const steps = passes[0].plan.steps.map(({ op, shape }, i) => {
    const extents = typeof shape === 'string' ? shape : `${shape.Hout}×${shape.Wout}×${shape.Cout}`;
    return { what: passes[0].algorithm(i) ?? op, extents, samples: [] };
  });
  for (let round = 0; round < rounds; round++) {
    const times = passes.map((pass) => steps.map((_, i) => time(() => pass.runStep(i))));
    for (const [i, { samples }] of steps.entries()) samples.push([times[0][i], times[1][i]]);
  }
  return steps;
}

function layerTable(steps) {
  const layers = newTable(['step', 'output', ...HEAD]);
  for (const { what, extents, samples } of steps) {
    const ratio = least(samples, 1) / least(samples, 0);
    layers.push([what, extents, ...ratioOf(samples), ratio.toFixed(3)]);
  }
  return layers;
}

function least(pairs, i) {
  return Math.min(...pairs.map((pair) => pair[i]));
}

/** Medians and their ratio. */
function ratioOf(pairs) {
  const [one, several] = [0, 1].map((i) => median(pairs.map((pair) => pair[i])));
  return [one.toFixed(2), several.toFixed(2), (several / one).toFixed(3)];
}

function newTable(head) {
  return new Table({
    head,
    colAligns: head.map((_, i) => (i < head.length - HEAD.length ? 'left' : 'right')),
    style: { head: [], border: [] },
  });
}
