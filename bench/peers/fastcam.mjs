// ResNet-50, 1x224x224x3, on fastcam: node fastcam.mjs auto|js|simd|relaxed [runs]. Network with SMOE taps + Gaussian CDF
// + combination. What of it is saliency's share: npm run bench:saliency.
import { makeKernels } from '../../dist/kernels/index.js';
import { ARCHITECTURES, ResNet } from '../../dist/model/index.js';
import { noiseImage, noiseWeights } from '../../dist/node/noise-model.js';
import { combineMaps, normalizeGaussian, toNdArray } from '../../dist/viz/index.js';

const [backend = 'auto', runs = '3'] = process.argv.slice(2);
const kernels = await makeKernels(backend);
const net = new ResNet(noiseWeights(ARCHITECTURES.resnet50), { kernels });
const image = noiseImage(224);
const pass = net.forward(1, 224, 224);

function run() {
  pass.input.set(image);
  const start = performance.now();
  pass.run();
  const maps = pass.maps.map((raw, i) => {
    const { H, W } = pass.plan.taps[i];
    const normalized = new Float32Array(H * W);
    normalizeGaussian(normalized, raw, undefined, kernels.maps?.normalizeGaussian);
    return toNdArray(normalized, [H, W]);
  });
  combineMaps(maps, [224, 224], 'equal', undefined, kernels.maps?.sumUpsampled);
  return performance.now() - start;
}

const warmups = backend === 'js' ? 1 : 2;
const ms = Array.from({ length: warmups + Number(runs) }, run)
  .slice(warmups)
  .sort((a, b) => a - b);
console.log(
  JSON.stringify({
    peer: `fastcam ${kernels.name}`,
    threads: 1,
    medianMs: ms[ms.length >> 1],
    minMs: ms[0],
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
  }),
);
