// Prints the errors of the arrays of an explanation, against the authors' code in double precision (test/goldens):
//
//   npm run accuracy [-- --backends js,simd]
//
// Errors are the largest (and, for SMOE, the median) over all elements, relative to the largest expected value. The
// tests hold bounds for the same figures: test/goldens.test.ts.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { createViteServer } from 'vitest/node';
import { loadNetwork, makeKernels, networkOf } from '../dist/index.js';

// The tests' readers of goldens are TypeScript, so they are loaded through Vite.
const server = await createViteServer({
  configFile: false,
  logLevel: 'error',
  server: { middlewareMode: true, ws: false, watch: null },
});
const { distance } = await server.ssrLoadModule('/test/compare.ts');
const { goldenInput, goldenWeights, loadGolden } = await server.ssrLoadModule('/test/goldens.ts');
const hash = await server.ssrLoadModule('/test/hash-weights.ts');
await server.close();

/** The methods of the authors' code, with their names in the goldens. */
const CAM_KEYS = { gradcam: 'gradcam', 'gradcam++': 'gradcampp', xgradcam: 'xgradcam' };
const { values: options } = parseArgs({
  options: { backends: { type: 'string', default: 'js,simd' } },
});
const table = new Table({
  head: ['network', 'backend', 'logits', 'SMOE', 'SMOE, median', 'combined', 'CAMs'],
  colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right'],
  style: { head: [], border: [], compact: true },
});
for (const backend of options.backends.split(',')) {
  const kernels = await makeKernels(backend);
  addHashNetwork(kernels, 'resnet18', [2, 3, 64, 96], 2);
  addHashNetwork(kernels, 'resnet50', [2, 3, 96, 160], 1);
  addHashNetwork(kernels, 'resnet50', [1, 3, 224, 224], 0);
  for (const name of ['vgg', 'vgg-bn', 'alexnet', 'densenet']) addFamily(kernels, name);
  await addTrainedNetwork(kernels, 'float32', '../test/goldens/tiny-resnet50-f32.safetensors');
  await addTrainedNetwork(kernels, 'float16', '../models/tiny-resnet50.safetensors');
}
console.log(`Node ${process.versions.node}`);
console.log(table.toString());

/** A network with weights and an input made from a hash. */
function addHashNetwork(kernels, name, shape, salt) {
  const [N, , H, W] = shape;
  const golden = loadGolden(`${name}_${N}x${H}x${W}_s${salt}`);
  const net = networkOf(hash.hashWeights(hash.torchvisionStateDict(name), salt), { kernels });
  const image = { data: hash.hashImage(salt, N * 3 * H * W), shape };
  const item = ({ data }, n) => data.slice((n * data.length) / N, ((n + 1) * data.length) / N);
  const pairs = net.explainBatch(image).map((e, n) => ({
    e,
    get: (key) => item(golden.get(key === 'combined.equal' ? 'combined' : key), n),
  }));
  addRow(`${name}, ${N}×${H}×${W}, hashed weights`, kernels, pairs);
}

/** A small network of another family. */
function addFamily(kernels, name) {
  const golden = loadGolden(`graph/${name}`);
  const { shape, salt } = goldenInput(`graph/${name}`);
  const net = networkOf(goldenWeights(name), { kernels });
  const e = net.explain({ data: hash.hashImage(salt, shape[1] * shape[2] * shape[3]), shape });
  const get = (key) => golden.get(key === 'combined.equal' ? 'combined' : key)?.data;
  addRow(`${name}, ${shape[2]}×${shape[3]}, hashed weights`, kernels, [{ e, get }]);
}

/** The bundled network on three pictures. */
async function addTrainedNetwork(kernels, dtype, path) {
  const golden = loadGolden('tiny-resnet50-pipeline');
  const net = await loadNetwork(readFileSync(new URL(path, import.meta.url)), { kernels });
  const pairs = ['cat', 'coffee', 'rocket'].map((picture) => ({
    e: net.explain(golden.get(`${picture}.input`)),
    get: (key) => golden.get(`${picture}.${key}`).data,
  }));
  addRow(`bundled model in ${dtype}, 3 pictures`, kernels, pairs);
}

/** One row: the largest errors of several explanations. */
function addRow(name, kernels, pairs) {
  const worst = (measure) => {
    const errors = pairs.flatMap(measure);
    if (errors.length === 0) return '';
    const error = Math.max(...errors);
    return error === 0 ? '0' : error.toExponential(1);
  };
  const smoe = (e, get, which) =>
    e.rawMaps.map((map, i) => distance(map.data, get(`smoe.${i}`))[which]);
  table.push([
    name,
    kernels.name,
    worst(({ e, get }) => distance(e.logits, get('logits')).largest),
    worst(({ e, get }) => smoe(e, get, 'largest')),
    worst(({ e, get }) => smoe(e, get, 'median')),
    worst(({ e, get }) => distance(e.combinedMap.data, get('combined.equal')).largest),
    // The goldens of other families do not have it.
    worst(({ e, get }) =>
      Object.entries(CAM_KEYS)
        .filter(([, key]) => get(`cam.${key}`))
        .map(([method, key]) => {
          const { camMap } = e.classMaps(e.target, method);
          return distance(camMap.data, get(`cam.${key}`)).largest;
        }),
    ),
  ]);
}
