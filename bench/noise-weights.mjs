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
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const constants = { 'bn3.weight': 0.3, running_var: 1, weight: 1 };
  return {
    name: 'noise',
    metadata: new Map(),
    tensors: new Map([...shapes].map(([name, shape]) => [name, { shape }])),
    read(name) {
      const shape = shapes.get(name);
      const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
      const values = new Float32Array(shape[0] * fanIn);
      if (shape.length === 1) {
        const kind = Object.keys(constants).find((suffix) => name.endsWith(suffix));
        return values.fill(constants[kind] ?? 0);
      }
      const scale = Math.sqrt(6 / fanIn);
      for (let i = 0; i < values.length; i++) values[i] = random() * scale;
      return values;
    },
  };
}

/** A picture's worth of input, [224, 224, 3]. */
export function noiseImage() {
  return Float32Array.from({ length: 224 * 224 * 3 }, (_, i) => Math.sin(i));
}
