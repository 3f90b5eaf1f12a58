// ResNet-50, 1x224x224x3, on fastcam: node fastcam.mjs auto|js|simd|relaxed [runs]. Network with SMOE taps + Gaussian CDF
// + combination. What of it is saliency's share: npm run bench:saliency.
import { makeKernels } from '../../dist/kernels/index.js';
import { ARCHITECTURES, ResNet } from '../../dist/model/index.js';
import { combined, normalized } from '../../dist/node/cost.js';
import { noiseImage, noiseWeights } from '../../dist/node/noise-model.js';

const [backend = 'auto', runs = '3'] = process.argv.slice(2);
const kernels = await makeKernels(backend);
const net = new ResNet(noiseWeights(ARCHITECTURES.resnet50), { kernels });
const image = noiseImage(224);
const pass = net.forward(1, 224, 224);

function run() {
  pass.input.set(image);
  const start = performance.now();
  pass.run();
  combined(normalized(pass, kernels), 224, kernels);
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
