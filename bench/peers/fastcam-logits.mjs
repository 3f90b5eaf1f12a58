// Prints fastcam's logits for the same picture as its peers get, [classes], as JSON: node fastcam-logits.mjs resnet50.
import { makeKernels } from '../../dist/kernels/index.js';
import { Network } from '../../dist/model/index.js';
import { namedArchitecture } from '../../dist/node/architectures.js';
import { noiseImage, noiseWeights } from '../../dist/node/noise-model.js';
import { SIZE } from './network.mjs';

const weights = noiseWeights(namedArchitecture(process.argv[2]));
const net = new Network(weights, { kernels: await makeKernels('simd') }).packAll();
const pass = net.forward(1, SIZE, SIZE, { taps: false });
pass.input.set(noiseImage(SIZE));
pass.run();
console.log(JSON.stringify([...pass.logits]));
