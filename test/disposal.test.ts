/** Networks and kernels give their memory back, and say so when they are used afterwards. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explainActivations } from '../src/explain-activations.js';
import { type Kernels, loadNetwork, type Picture } from '../src/index.js';
import { BACKENDS } from './kernels/backends.js';

const WEIGHTS = readFileSync(new URL('../models/tiny-resnet50.safetensors', import.meta.url));

const load = (kernels: Kernels) => loadNetwork(WEIGHTS, { kernels });

function pictureOf(width: number, height: number): Picture {
  const data = Uint8Array.from({ length: 4 * width * height }, (_, i) => (i * 37) % 256);
  return { data, width, height };
}

/** An object in a deep reactive state: every access goes through a proxy. */
function reactive<T extends object>(target: T): T {
  return new Proxy(target, { get: (object, key, self) => Reflect.get(object, key, self) });
}

describe.each(BACKENDS)('on $name', ({ make }) => {
  const picture = pictureOf(64, 48);

  it('a disposed network says so, and its explanations keep their maps', async () => {
    const net = await load(await make());
    const explanation = net.explain(picture, { size: 32 });
    const before = explanation.camMap.data.slice();
    net.dispose();
    net.dispose();
    expect(() => net.explain(picture)).toThrow(new TypeError('network: disposed'));
    expect(() => net.forward(1, 32, 32)).toThrow(/network: disposed/);
    expect(explanation.camMap.data).toEqual(before);
    expect(explanation.combinedMap.data).toHaveLength(64 * 48);
    expect(() => explanation.classMaps(3)).toThrow(/network: disposed/);
  });

  it('disposed kernels say so, also of a network and a size that ran before', async () => {
    const kernels = await make();
    const net = await load(kernels);
    const explanation = net.explain(picture, { size: 32 });
    kernels.dispose();
    kernels.dispose();
    expect(kernels.isDisposed).toBe(true);
    expect(() => net.explain(picture, { size: 32 })).toThrow(/kernels: disposed/);
    await expect(load(kernels)).rejects.toThrow(/kernels: disposed/);
    const taps = [{ data: new Float32Array(4), shape: [2, 2, 1], layout: 'nhwc' as const }];
    expect(() => explainActivations({ taps }, { kernels })).toThrow(/kernels: disposed/);
    expect(explanation.combinedMap.data).toHaveLength(64 * 48);
    net.dispose();
  });

  it('frees memory at the end of `using`', async () => {
    const kernels = await make();
    const net = await load(kernels);
    net[Symbol.dispose]();
    expect(() => net.explain(picture)).toThrow(/disposed/);
    kernels[Symbol.dispose]();
    expect(kernels.isDisposed).toBe(true);
  });

  it('says what to do if a deep proxy wraps one of its objects', async () => {
    const kernels = await make();
    const net = await load(kernels);
    const explanation = reactive(net.explain(picture, { size: 32 }));
    const proxied = reactive(net);
    const told = /behind a proxy.*markRaw or shallowRef/;
    for (const use of [
      () => explanation.combinedMap,
      () => explanation.camMap,
      () => explanation.fastcamMap,
      () => explanation.nonClassMap,
      () => explanation.cost,
      () => explanation.top(1),
      () => explanation.classMaps(1),
      () => explanation.resized(8, 8),
      () => proxied.forward(1, 32, 32),
      () => proxied.tensors,
      () => proxied.dispose(),
    ]) {
      expect(use, String(use)).toThrow(told);
    }
    expect(proxied.explain(picture, { size: 32 }).top(1)).toEqual(
      net.explain(picture, { size: 32 }).top(1),
    );
    if (kernels.name === 'js') return;
    await expect(load(reactive(kernels))).rejects.toThrow(told);
    expect(() => reactive(kernels).dispose()).toThrow(told);
  });
});
