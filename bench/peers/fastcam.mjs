// ResNet-50, 1x224x224x3, on fastcam: node fastcam.mjs js [runs]. Network + SMOE taps + Gaussian CDF + combination;
// `bareMs` is the same plan without taps, runs alternating. Weights are seeded noise at the scale of a trained network's.
import { jsKernels } from '../../dist/kernels/index.js';
import { ARCHITECTURES, convolutionsOf, layersOf, ResNet } from '../../dist/model/index.js';
import { combineMaps, normalizeGaussian, toNdArray } from '../../dist/viz/index.js';

const backends = { js: jsKernels };
const backend = process.argv[2] ?? 'js';
const runs = Number(process.argv[3] ?? 3);
const net = new ResNet(noiseWeights(ARCHITECTURES.resnet50), { kernels: backends[backend]() });
const image = Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(i));

/** One picture; returns the milliseconds of the forward pass and of what follows it. */
function run(taps) {
  const pass = net.forward(1, 224, 224, { taps });
  pass.input.set(image);
  const start = performance.now();
  pass.run();
  const networkDone = performance.now();
  const maps = pass.smoe.map((raw, i) => {
    const { H, W } = pass.plan.taps[i];
    const normalized = new Float32Array(H * W);
    normalizeGaussian(normalized, raw);
    return toNdArray(normalized, [H, W]);
  });
  if (taps) combineMaps(maps, [224, 224]);
  const done = performance.now();
  return { network: networkDone - start, rest: done - networkDone, all: done - start };
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
for (const taps of [true, false]) run(taps);
const withTaps = [];
const bare = [];
for (let i = 0; i < runs; i++) {
  withTaps.push(run(true));
  bare.push(run(false).all);
}
console.log(
  JSON.stringify({
    peer: `fastcam ${backend}`,
    threads: 1,
    medianMs: median(withTaps.map(({ all }) => all)),
    minMs: Math.min(...withTaps.map(({ all }) => all)),
    bareMs: median(bare),
    bareMinMs: Math.min(...bare),
    normalizeAndCombineMs: median(withTaps.map(({ rest }) => rest)),
  }),
);

/** Weights from a linear congruential generator, uniform with He's variance; batch norms that keep it. */
function noiseWeights(architecture) {
  const layers = layersOf(architecture);
  const shapes = new Map();
  for (const { name, batchNorm, Cin, Cout, kernel, groups } of convolutionsOf(layers)) {
    shapes.set(`${name}.weight`, [Cout, Cin / groups, kernel, kernel]);
    for (const part of ['weight', 'bias', 'running_mean', 'running_var'])
      shapes.set(`${batchNorm}.${part}`, [Cout]);
  }
  shapes.set('fc.weight', [layers.fc.Cout, layers.fc.Cin]).set('fc.bias', [layers.fc.Cout]);
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const tensors = new Map([...shapes].map(([name, shape]) => [name, { shape }]));
  return {
    name: 'noise',
    metadata: new Map(),
    tensors,
    read(name) {
      const shape = shapes.get(name);
      const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
      const values = new Float32Array(shape[0] * fanIn);
      if (shape.length === 1) {
        const last = name.includes('bn3.weight');
        return values.fill(
          name.endsWith('weight') ? (last ? 0.3 : 1) : name.endsWith('var') ? 1 : 0,
        );
      }
      return values.map(() => random() * Math.sqrt(6 / fanIn));
    },
  };
}
