// Measures how many zeros the SIMD backend's sparse convolution can skip, and how much time this saves.
//
//   npm run bench:zeros [-- --backend auto|simd|relaxed]
//
// First: the share of multiplications of the sparse convolutions whose input is not 0, for a ResNet-50 with random weights,
// and for the bundled model on the bundled photos. Then: the times of convolutions of a ResNet-50 for different shares,
// which also shows the cost of a network without zeros.

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { conv2dShape, layerWeights, makeKernels } from '../dist/kernels/index.js';
import { openModel, readPicture } from '../dist/node/index.js';
import { noiseImage, noiseModel } from '../dist/node/noise-model.js';
import { median, time } from '../dist/node/stopwatch.js';

const PHOTOS = ['chelsea.png', 'coffee.png', 'rocket.jpg'];
const SHARES = [1, 0.75, 0.5, 0.25, 0];
const ROUNDS = 40;
/** Side, channels in, channels out: a 1×1 of each stage. */
const SHAPES = [
  [56, 64, 256],
  [28, 512, 128],
  [14, 256, 1024],
  [7, 2048, 512],
];

const { values: options } = parseArgs({
  options: { backend: { type: 'string', default: 'auto' } },
});
const kernels = await makeKernels(options.backend);
console.log(`Backend ${kernels.name}, Node ${process.versions.node}, ${cpus()[0].model.trim()}`);
await printNetworks();
printShapes();

async function printNetworks() {
  const noise = await noiseModel('resnet50', options.backend);
  const table = tableOf(['network', 'picture', 'multiplications whose input is not 0']);
  const shareOfNoise = watch(noise.net);
  const pass = noise.net.forward(1, 224, 224);
  pass.input.set(noiseImage(224));
  pass.run();
  table.push([noise.name, 'noise', percent(shareOfNoise())]);
  for (const photo of PHOTOS) {
    const { name, net } = await openModel({ backend: options.backend });
    const share = watch(net);
    net.explain(await readPicture(new URL(`../samples/${photo}`, import.meta.url).pathname));
    table.push([name, photo, percent(share())]);
  }
  console.log(table.toString());
}

/** Counts in the next pass of a network; returns a function that gives the share. */
function watch(net) {
  let all = 0;
  let left = 0;
  const bind = net.kernels.bind.bind(net.kernels);
  net.kernels.bind = (steps, ...rest) => {
    const program = bind(steps, ...rest);
    program.run = () => {
      for (const [i, step] of steps.entries()) {
        if (step.op === 'conv2d' && program.algorithm(i) === 'sparse') count(step, program);
        program.runStep(i);
      }
    };
    return program;
  };
  function count({ x, shape }, program) {
    const { N, H, W, Cin, Cout, kH, kW, Hout, Wout } = shape;
    const inputs = program.buffer(x).subarray(0, N * H * W * Cin);
    const macs = N * Hout * Wout * Cin * Cout * kH * kW;
    all += macs;
    left += (macs * inputs.filter((value) => value !== 0).length) / inputs.length;
  }
  return () => left / all;
}

function printShapes() {
  const table = tableOf(['1×1 convolution', ...SHARES.map((share) => `${percent(share)}, ms`)]);
  for (const [side, Cin, Cout] of SHAPES) {
    const runs = SHARES.map((share) => convolution(side, Cin, Cout, share));
    const samples = Array.from({ length: ROUNDS }, () => runs.map((run) => time(run)));
    const ms = SHARES.map((_, i) => median(samples.map((sample) => sample[i])).toFixed(2));
    table.push([`${side}×${side}×${Cin} → ${Cout}`, ...ms]);
  }
  console.log(table.toString());
}

function convolution(side, Cin, Cout, share) {
  const extents = { N: 1, H: side, W: side, Cin, Cout, kH: 1, kW: 1, groups: 1 };
  const shape = conv2dShape({ ...extents, strideY: 1, strideX: 1, padY: 0, padX: 0 });
  const weights = layerWeights(floats(Cin * Cout), new Float32Array(Cout));
  const packed = kernels.packConv2d(shape, weights);
  const step = {
    op: 'conv2d',
    weights: 'w',
    shape,
    x: 0,
    out: 1,
    activation: { name: 'clip', parameters: [0, Infinity] },
    sparse: true,
  };
  const x = { offset: 0, length: side * side * Cin };
  const out = { offset: x.length, length: side * side * Cout };
  const program = kernels.bind([step], [x, out], new Map([['w', packed]]));
  const inputs = floats(x.length).map((value) => (Math.random() < share ? value : 0));
  program.buffer(0).set(inputs);
  return () => program.run();
}

function floats(length) {
  return new Float32Array(length).map(() => Math.random() - 0.5);
}

function percent(share) {
  return `${Math.round(100 * share)} %`;
}

function tableOf(head) {
  const style = { head: [], border: [], compact: true };
  const colAligns = head.map((_, i) => (i === 0 ? 'left' : 'right'));
  return new Table({ head, colAligns, style });
}
