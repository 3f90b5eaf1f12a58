// Times fastcam from the bytes of a network's weights in memory, float32, to the first explanation:
// node fastcam-cold.mjs auto|js|simd|relaxed [resnet50|vgg16|…]. The figure of the peer is `coldMs` of ort-web.mjs.
import { loadNetwork, makeKernels } from '../../dist/index.js';
import { namedArchitecture } from '../../dist/node/architectures.js';
import { noiseWeights } from '../../dist/node/noise-model.js';
import { writeSafetensors } from '../../dist/node/safetensors-writer.js';

const [backend = 'auto', architecture = 'resnet50'] = process.argv.slice(2);
const noise = noiseWeights(namedArchitecture(architecture));
const bytes = writeSafetensors(
  Object.fromEntries(
    [...noise.tensors].map(([name, { shape }]) => {
      const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
      noise.readInto(data, name, 0);
      return [name, { shape, data }];
    }),
  ),
);
const data = Uint8Array.from({ length: 224 * 224 * 4 }, (_, i) => (i % 4 === 3 ? 255 : i % 251));

const start = performance.now();
const kernels = await makeKernels(backend);
const net = await loadNetwork(bytes, { kernels });
const loadedMs = performance.now() - start;
net.explain({ data, width: 224, height: 224 }).combinedMap;
const coldMs = performance.now() - start;
console.log(JSON.stringify({ peer: `fastcam ${kernels.name}`, threads: 1, loadedMs, coldMs }));
