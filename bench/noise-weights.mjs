// A ResNet whose weights are seeded noise, for benches: activations keep a trained network's magnitude, so no value is
// subnormal or infinite, and nothing has to be read from a file.

import { convolutionsOf, layersOf } from '../dist/model/index.js';

/** A source of tensors for `new ResNet`, uniform with He's variance; batch norms that change little. */
export function noiseWeights(architecture) {
  const layers = layersOf(architecture);
  const shapes = new Map();
  for (const { name, batchNorm, Cin, Cout, kernel, groups } of convolutionsOf(layers)) {
    shapes.set(`${name}.weight`, [Cout, Cin / groups, kernel, kernel]);
    for (const part of ['weight', 'bias', 'running_mean', 'running_var']) {
      shapes.set(`${batchNorm}.${part}`, [Cout]);
    }
  }
  shapes.set('fc.weight', [layers.fc.Cout, layers.fc.Cin]).set('fc.bias', [layers.fc.Cout]);
  const names = [...shapes.keys()];
  const constants = { 'bn3.weight': 0.3, running_var: 1, weight: 1 };
  return {
    name: 'noise',
    metadata: new Map(),
    tensors: new Map([...shapes].map(([name, shape]) => [name, { shape }])),
    readInto(out, name, begin) {
      const shape = shapes.get(name);
      if (shape.length === 1) {
        const kind = Object.keys(constants).find((suffix) => name.endsWith(suffix));
        out.fill(constants[kind] ?? 0);
        return;
      }
      const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
      const scale = Math.sqrt(6 / fanIn);
      const seed = Math.imul(names.indexOf(name) + 1, 0x85ebca6b);
      for (let i = 0; i < out.length; i++) out[i] = noise((begin + i) ^ seed) * scale;
    },
  };
}

/** A number in [−1, 1) that looks random, from a whole one (the finaliser of murmur3). */
function noise(n) {
  let h = Math.imul(n ^ (n >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1;
}

/** A picture's worth of input, [224, 224, 3]. */
export function noiseImage() {
  return Float32Array.from({ length: 224 * 224 * 3 }, (_, i) => Math.sin(i));
}
