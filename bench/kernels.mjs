// Times the operators at every shape of a network, 1×224×224, after checking each against its reference.
//
//   npm run bench [-- --quick] [--network resnet50|vgg16|mobilenetv2|efficientnet-b0|…] [--backend auto|js|simd|relaxed] [--time 500]
//
// The steps come from the network's own plan; weights and inputs are seeded noise. Convolutions that end a scale run
// twice, without and with the fused SMOE tap; the difference is the cost of the tap. --quick times one shape of each
// kind for a very short time. It checks that the bench works; it is not a measurement.

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { Bench } from 'tinybench';
import {
  conv2dMacs,
  conv2dReference,
  isConv2d,
  layerWeights,
  makeKernels,
  smoeReference,
  smoeScale,
} from '../dist/kernels/index.js';
import { plan, prepareNetwork, recognizeNetwork } from '../dist/model/index.js';
import { namedArchitecture } from '../dist/node/architectures.js';
import { noiseWeights } from '../dist/node/noise-model.js';
import { mobileNetwork } from './mobile-networks.mjs';

/** Relative to the largest value. Storing a float32 costs 2⁻²⁴; sums in float32 and Winograd's transforms cost some bits more. */
const TOLERANCES = { js: 2 ** -20, simd: 2 ** -16, relaxed: 2 ** -16 };
/** SMOE Scale near 0 is a difference of rounded logarithms. */
const SMOE_TOLERANCE = 2 ** -14;

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    backend: { type: 'string', default: 'auto' },
    network: { type: 'string', default: 'resnet50' },
    time: { type: 'string', default: '500' },
  },
});
const backend = (await makeKernels(options.backend)).name;
const graph =
  mobileNetwork(options.network) ??
  recognizeNetwork(noiseWeights(namedArchitecture(options.network))).graph;
const planned = plan(prepareNetwork(graph, 224), [1, 224, 224]);
const { steps } = planned;
const cases = options.quick ? quickCases(steps) : allCases(steps);

const bench = new Bench({
  time: options.quick ? 0 : Number(options.time),
  iterations: options.quick ? 1 : 5,
  warmupTime: 0,
  warmupIterations: options.quick ? 1 : 3,
});
/** Results are added here, so that an engine cannot optimize the work away. */
let sink = 0;
for (const { name, prepare } of cases) {
  const { run, out } = await prepare();
  let i = 0;
  bench.add(name, () => {
    run();
    i = (i + 97) % out.length;
    sink += out[i];
  });
}
console.error(`All ${cases.length} cases agree with their references; timing`);
bench.runSync();
print();

function print() {
  const table = new Table({
    head: ['operator', `in ${options.network}`, 'median ms', 'least ms', 'rate'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  const medians = new Map();
  for (const [i, { name, count, macs, elements }] of cases.entries()) {
    const { p50, min } = bench.tasks[i].result.latency;
    medians.set(name, p50);
    const rate = macs
      ? `${(macs / p50 / 1e6).toFixed(2)} GMAC/s`
      : `${(elements / p50 / 1e3).toFixed(0)} M values/s`;
    table.push([name, count ? `${count}×` : '', p50.toFixed(2), min.toFixed(2), rate]);
  }
  const convolutions = cases.filter(({ macs, count }) => macs && count);
  const ms = convolutions.reduce((sum, { name, count }) => sum + count * medians.get(name), 0);
  const macs = convolutions.reduce((sum, { count, macs }) => sum + count * macs, 0);
  console.log(`Backend ${backend}, Node ${process.versions.node}, ${cpus()[0].model.trim()}`);
  console.log(table.toString());
  if (!options.quick) {
    console.log(
      `All convolutions of the network: ${ms.toFixed(0)} ms, ${(macs / ms / 1e6).toFixed(2)} GMAC/s`,
    );
  }
  console.log(`(sink ${sink.toExponential(3)})`);
}

/** Every distinct step once, with its number in the network. Taps are separate. */
function allCases(steps) {
  const distinct = new Map();
  for (const step of steps) {
    const name = isConv2d(step) ? nameOf(step) : `${step.op} ${step.shape}`;
    const known = distinct.get(name);
    if (known) known.count++;
    else distinct.set(name, { step, count: 1 });
  }
  const bare = [...distinct].map(([name, { step, count }]) => ({
    ...(isConv2d(step) ? convolutionCase(name, step, false) : operatorCase(name, step)),
    count,
  }));
  const taps = steps.filter(({ smoe }) => smoe !== undefined);
  const tapped = taps.map((step) => convolutionCase(`${nameOf(step)}, with SMOE`, step, true));
  return [...bare, ...tapped, ...taps.map(smoeCase)];
}

/** For each kind, the case with the least work. */
function quickCases(steps) {
  const smallest = new Map();
  for (const one of allCases(steps)) {
    const kind = `${one.name.replace(/[,+].*$| \d+×\d+×.*$/g, '')} ${/SMOE/.test(one.name)}`;
    const work = ({ macs, elements }) => macs ?? elements;
    if (!smallest.has(kind) || work(one) < work(smallest.get(kind))) smallest.set(kind, one);
  }
  return [...smallest.values()];
}

/** Convolutions of the same name cost the same. */
function nameOf({ shape, residual, activation, sparse }) {
  const { Cin, Cout, kH, strideY, groups, H, W } = shape;
  const kind = groups > 1 ? (groups === Cin ? 'depthwise' : `conv of ${groups} groups`) : 'conv';
  const stride = strideY > 1 ? `/${strideY}` : '';
  const sum = residual === undefined ? '' : ' + residual';
  const dense = sparse ? '' : ' of dense inputs';
  const name = activation && activation.name !== 'clip' ? `, ${activation.name}` : '';
  return `${kind} ${kH}×${kH}${stride}, ${H}×${W}×${Cin} → ${Cout}${sum}${name}${dense}`;
}

function convolutionCase(name, step, tapped) {
  const { shape, activation, sparse } = step;
  const { Cin, Cout, kH, kW, groups, H, W, Hout, Wout } = shape;
  return {
    name,
    macs: conv2dMacs(shape),
    async prepare() {
      const x = noise(H * W * Cin, 1);
      const weight = noise((Cout * kH * kW * Cin) / groups, 2);
      const bias = noise(Cout, 3);
      const residual = step.residual === undefined ? undefined : noise(Hout * Wout * Cout, 4);
      const lengths = [x.length, Hout * Wout * Cout, residual?.length ?? 0, Hout * Wout];
      const kernels = await makeKernels(backend);
      const onto = {
        ...(activation && { activation }),
        ...(residual && { residual: 2 }),
        ...(tapped && { smoe: 3 }),
      };
      const program = kernels.bind(
        [{ op: 'conv2d', weights: 'w', shape, x: 0, out: 1, sparse, ...onto }],
        placesOf(lengths),
        new Map([['w', kernels.packConv2d(shape, layerWeights(weight, bias))]]),
      );
      const out = program.buffer(1);
      program.buffer(0).set(x);
      if (residual) program.buffer(2).set(residual);
      program.run();
      const expected = new Float32Array(out.length);
      conv2dReference(expected, x, weight, bias, shape, { residual, activation });
      check(name, out, expected, TOLERANCES[backend]);
      if (tapped) {
        const smoe = new Float32Array(Hout * Wout);
        smoeReference(smoe, out, Cout);
        check(name, program.buffer(3), smoe, SMOE_TOLERANCE);
      }
      return { run: () => program.run(), out };
    },
  };
}

/** Any other operator, against its portable kernel. */
function operatorCase(name, step) {
  const lengths = [step.out, ...step.inputs].map((buffer) => planned.buffers[buffer].length);
  return {
    name,
    elements: lengths[0],
    async prepare() {
      const inputs = lengths.slice(1).map((length, i) => noise(length, 5 + i));
      // A concatenation writes into a wider output; the vectors have its width.
      const channels = step.numbers[2];
      const vectors = { scale: noise(channels, 8), shift: noise(channels, 9) };
      const kernels = await makeKernels(backend);
      const bound = { ...step, out: 0, inputs: inputs.map((_, i) => i + 1), weights: 'w' };
      const program = kernels.bind(
        [step.weights ? bound : { ...bound, weights: undefined }],
        placesOf(lengths),
        new Map([['w', kernels.packVectors(vectors.scale, vectors.shift)]]),
      );
      const out = program.buffer(0);
      for (const [i, input] of inputs.entries()) program.buffer(i + 1).set(input);
      program.run();
      const expected = new Float32Array(out.length);
      step.kernel(expected, inputs, vectors);
      check(name, out, expected, step.op === 'smoe' ? SMOE_TOLERANCE : TOLERANCES[backend]);
      return { run: () => program.run(), out };
    },
  };
}

/** SMOE Scale in JavaScript as a separate pass; half of the activations are zero. */
function smoeCase({ shape }) {
  const { Hout, Wout, Cout } = shape;
  const name = `SMOE Scale alone, ${Hout}×${Wout}×${Cout}`;
  return {
    name,
    elements: Hout * Wout * Cout,
    prepare() {
      const x = noise(Hout * Wout * Cout, 6).map((value) => Math.max(0, value));
      const out = new Float32Array(Hout * Wout);
      smoeScale(out, x, Cout);
      const expected = new Float32Array(out.length);
      smoeReference(expected, x, Cout);
      check(name, out, expected, SMOE_TOLERANCE);
      return { run: () => smoeScale(out, x, Cout), out };
    },
  };
}

/** Places buffers one after the other, in whole cache lines. */
function placesOf(lengths) {
  let end = 0;
  return lengths.map((length) => {
    const place = { offset: end, length };
    end += Math.ceil(length / 16) * 16;
    return place;
  });
}

/** Floats in [−1, 1) that only depend on the seed (a linear congruential generator). */
function noise(length, seed) {
  let state = seed;
  return new Float32Array(length).map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** @throws unless every value is within `tolerance` of the expected, relative to the largest of those */
function check(name, got, expected, tolerance) {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let i = 0; i < expected.length; i++) {
    // The negation also catches a NaN.
    if (!(Math.abs(got[i] - expected[i]) <= tolerance * largest)) {
      throw new Error(`${name}: element ${i} expected ${expected[i]}, got ${got[i]}`);
    }
  }
}
