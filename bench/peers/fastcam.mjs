// A network at 224x224 on fastcam: node fastcam.mjs auto|js|simd|relaxed [runs] [resnet50|vgg16|densenet121|…] [threads].
// Network with SMOE taps + Gaussian CDF + combination. `npm run bench:saliency` prints the share of saliency.
import { Network } from '../../dist/model/index.js';
import { namedArchitecture } from '../../dist/node/architectures.js';
import { combined, normalized } from '../../dist/node/measured-cost.js';
import { noiseImage, noiseWeights } from '../../dist/node/noise-model.js';
import { makeKernels } from '../../dist/threads.js';

const [backend = 'auto', runs = '3', network = 'resnet50', threads = '1'] = process.argv.slice(2);
const kernels = await makeKernels({ backend, threads: Number(threads) });
const net = new Network(noiseWeights(namedArchitecture(network)), { kernels }).packAll();
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
    threads: kernels.threads ?? 1,
    medianMs: ms[ms.length >> 1],
    minMs: ms[0],
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
  }),
);
