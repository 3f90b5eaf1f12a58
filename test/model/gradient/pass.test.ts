/** Passes that a network holds: their memory, their classes, and what is refused. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { networkOf } from '../../../src/explain.js';
import { gradientPass } from '../../../src/model/gradient/pass.js';
import { loadNetwork } from '../../../src/onnx.js';
import { hashImage, hashWeights, stateDictOf } from '../../hash-weights.js';
import { BACKENDS } from '../../kernels/backends.js';

const SMALL = { depths: [1, 1, 1, 1], width: 8, classes: 5 };
const SIZE = [64, 64] as const;
const PICTURE = hashImage(7, 3 * 64 * 64);

describe.each(BACKENDS)('a gradient pass on $name', async ({ make }) => {
  const kernels = await make();
  const network = (budgetBytes = Number.POSITIVE_INFINITY) =>
    networkOf(hashWeights(stateDictOf(SMALL), 3), { kernels, budgetBytes });

  /** The gradient of a class. */
  function gradientOf(net: ReturnType<typeof network>, index: number) {
    const pass = gradientPass(net, [1, ...SIZE], { score: 'logit' });
    pass.input.set(PICTURE);
    pass.targets[0] = [index];
    pass.run();
    return { pass, gradient: pass.gradients[0]!.slice() };
  }

  it('still explains the class that is asked for after a larger pass was refused', () => {
    const free = network();
    const { pass, gradient: expected } = gradientOf(free, 3);
    const net = network(free.weightBytes + pass.bytes);
    gradientOf(net, 1);
    expect(() => gradientPass(net, [8, ...SIZE], { score: 'logit' })).toThrow(/^forward: /);
    expect(gradientOf(net, 3).gradient).toEqual(expected);
  });

  it('needs less memory in a smaller budget, gives the same bits, and is refused below the least', async () => {
    const bytes = readFileSync(new URL('../../goldens/graph/resnet-cifar.onnx', import.meta.url));
    const load = (budgetBytes?: number) =>
      loadNetwork(bytes, { kernels, ...(budgetBytes && { budgetBytes }) });
    const ask = (net: Awaited<ReturnType<typeof load>>) => {
      const pass = gradientPass(net, [1, 32, 32], { score: 'logit' });
      pass.input.set(PICTURE.subarray(0, pass.input.length));
      pass.run();
      return { pass, gradient: pass.gradients[0]!.slice() };
    };
    const free = await load();
    const { pass, gradient: expected } = ask(free);
    expect(pass.keptShare).toBe(1);
    const { pass: smaller, gradient } = ask(await load(free.weightBytes + pass.bytes - 1));
    expect(smaller.bytes).toBeLessThan(pass.bytes);
    expect(smaller.keptShare).toBeLessThan(1);
    expect(gradient).toEqual(expected);
    const least = await load(free.weightBytes + 100_000);
    expect(() => ask(least)).toThrow(
      /^forward: an input of 1×32×32 takes .* and the limit is .*: choose a smaller size$/,
    );
  });

  it('gives its memory back, also the scratch of rearranged weights', () => {
    if (!('engine' in kernels)) return;
    const { memory } = kernels.engine as { memory: { bytes: number } };
    const once = () => {
      const net = network();
      gradientOf(net, 0);
      net.dispose();
    };
    once();
    const { bytes } = memory;
    for (let i = 0; i < 20; i++) once();
    expect(memory.bytes).toBe(bytes);
  });

  it('that begins at a value gives the gradient there, from the value alone', () => {
    const net = network();
    const whole = gradientPass(net, [1, ...SIZE], { score: 'logit', at: ['layer2'] });
    whole.input.set(PICTURE);
    whole.targets[0] = [4];
    whole.run();
    const [value, expected] = [whole.values[0]!.slice(), whole.gradients[0]!.slice()];
    const part = gradientPass(net, [1, ...SIZE], { score: 'logit', from: 'layer2' });
    part.input.set(value);
    part.targets[0] = [4];
    part.run();
    const most = expected.reduce((max, g) => Math.max(max, Math.abs(g)), 0);
    part.gradients[0]!.forEach((g, i) => {
      expect(Math.abs(g - expected[i]!)).toBeLessThanOrEqual(1e-5 * most);
    });
  });

  it('refuses to begin where the logits also depend on the picture by another path', () => {
    const net = network();
    const { name } = net.prepared.graph.nodes.find((node) => node.name.startsWith('layer1.0.'))!;
    const ask = () => gradientPass(net, [1, ...SIZE], { score: 'logit', from: name });
    expect(ask).toThrow(`gradient: the logits do not depend on ${name} alone`);
  });
});
