// From the bytes of ResNet-50's weights in memory (102 MB of float32) to the first explanation, on fastcam:
// node fastcam-cold.mjs auto|js|simd|relaxed. The peer's figure: `coldMs` of ort-web.mjs.
import { loadResNet, makeKernels } from '../../dist/index.js';
import { ARCHITECTURES, writeSafetensors } from '../../dist/model/index.js';
import { noiseWeights } from '../../dist/node/noise-model.js';

const noise = noiseWeights(ARCHITECTURES.resnet50);
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
const kernels = await makeKernels(process.argv[2]);
const net = await loadResNet(bytes, { kernels });
const loadedMs = performance.now() - start;
net.explain({ data, width: 224, height: 224 }).combinedMap;
const coldMs = performance.now() - start;
console.log(JSON.stringify({ peer: `fastcam ${kernels.name}`, threads: 1, loadedMs, coldMs }));
