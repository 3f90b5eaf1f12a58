import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadNetwork } from '../../src/explain.js';
import { attribute, attributionMap, withGradients } from '../../src/gradients.js';
import { makeKernels } from '../../src/kernels/index.js';
import { bundledModel, compareFile, type Model, readPicture } from '../../src/node/index.js';

const CAT = 'samples/chelsea.png';
const SMOOTH = 'guided-backprop:smoothgrad-squared';
const SMALL = { size: 32, steps: 2, samples: 2 };

describe('compareFile', () => {
  test('maps are those of explain and of attribute, in [0, 1], each of its own', async () => {
    const model = await bundledModel();
    const methods = ['saliency', 'fastcam', 'gradient', 'bidicam', 'gradcam', SMOOTH];
    const { maps, sheet } = await compareFile(CAT, { model, ...SMALL, target: 7, methods });
    expect([...maps.keys()].sort()).toEqual([...methods].sort());
    const [height, width] = maps.get('saliency')!.shape as [number, number];
    const picture = await readPicture(CAT);
    const explanation = model.net.explain(picture, { size: 32, target: 7 }).resized(width, height);
    expect(maps.get('saliency')!.data).toEqual(explanation.combinedMap.data);
    expect(maps.get('fastcam')!.data).toEqual(explanation.fastcamMap.data);
    const attribution = attribute(model.net, picture, {
      ...{ method: 'guided-backprop', smoothing: 'smoothgrad-squared', target: 7 },
      ...SMALL,
    });
    expect(maps.get(SMOOTH)!.data).toEqual(attributionMap(attribution, { width, height }).data);
    for (const [name, { data }] of maps) {
      expect(Math.min(...data), name).toBeGreaterThanOrEqual(0);
      expect(Math.max(...data), name).toBeLessThanOrEqual(1);
    }
    expect(sheet.width).toBeGreaterThan(3 * width);
  });

  test('what does not fit into the memory is reported, and the others are done', async () => {
    const bytes = readFileSync('models/tiny-resnet50.safetensors');
    const load = async (budgetBytes: number): Promise<Model> => {
      const net = await loadNetwork(bytes, { kernels: await makeKernels('simd'), budgetBytes });
      return { name: 'small', options: {}, backend: 'simd', net, labelled: true, warnings: [] };
    };
    const roomy = await load(Number.POSITIVE_INFINITY);
    const methods = ['saliency', 'gradient'];
    const { report } = await compareFile(CAT, { ...SMALL, model: roomy, methods });
    const [saliency, gradient] = report.methods.map(({ cost }) => cost!.bytes);
    expect(gradient).toBeGreaterThan(saliency!);
    // Beside the weights there is room for a forward pass only.
    const model = await load(report.weightBytes + saliency! + 1000);
    const { report: tight, maps } = await compareFile(CAT, { ...SMALL, model, methods });
    expect(tight.methods[0]).toMatchObject({ name: 'saliency', cost: { passes: 0 } });
    expect(tight.methods[1]!.error).toMatch(/the limit is/);
    expect([...maps.keys()]).toEqual(['saliency']);
  });

  test('an unknown method is refused, with the names of all', async () => {
    await expect(compareFile(CAT, { methods: ['magic'] })).rejects.toThrow(
      /^methods: expected some of saliency, fastcam, /,
    );
  });
});

test('a network that has explained already has class maps once gradients are added', async () => {
  const bytes = readFileSync('test/goldens/graph/vgg.weights.safetensors');
  const net = await loadNetwork(bytes, { kernels: await makeKernels('simd') });
  const picture = await readPicture(CAT);
  net.explain(picture, { size: 64 });
  const after = withGradients(net).explain(picture, { size: 64 });
  expect(after.cam).toBe('gradcam++');
  expect(after.fastcamMap.data.some((value) => value > 0)).toBe(true);
});
