// ResNet-50, 1x224x224x3, on TensorFlow.js: node tfjs.mjs wasm|cpu [runs]. Batch norm folded, fused bias and ReLU (the peer at its best).

import { createRequire } from 'node:module';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';

const backend = process.argv[2] ?? 'wasm';
const runs = Number(process.argv[3] ?? (backend === 'cpu' ? 1 : 7));
if (backend === 'wasm') {
  setWasmPaths(
    `${path.dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`,
  );
  setThreadsCount(1);
}
await tf.setBackend(backend);
await tf.ready();

const weight = (...shape) => tf.randomNormal(shape, 0, 0.05);
const layer = (kH, kW, cin, cout) => ({ k: weight(kH, kW, cin, cout), b: weight(cout) });
const stem = layer(7, 7, 3, 64);
const stages = [];
let cin = 64;
for (const [depth, mid, out, stride] of [
  [3, 64, 256, 1],
  [4, 128, 512, 2],
  [6, 256, 1024, 2],
  [3, 512, 2048, 2],
])
  stages.push(
    Array.from({ length: depth }, (_, i) => {
      const block = {
        s: i ? 1 : stride,
        a: layer(1, 1, cin, mid),
        b: layer(3, 3, mid, mid),
        c: layer(1, 1, mid, out),
        d: i ? null : layer(1, 1, cin, out),
      };
      cin = out;
      return block;
    }),
  );
const fc = layer(1, 1, 2048, 1000);
const pad = (x, p) =>
  tf.pad(x, [
    [0, 0],
    [p, p],
    [p, p],
    [0, 0],
  ]);
const conv = (x, l, strides, p, activation) =>
  tf.fused.conv2d({ x, filter: l.k, strides, pad: p, bias: l.b, activation });
const forward = (x) =>
  tf.tidy(() => {
    let y = conv(pad(x, 3), stem, 2, 'valid', 'relu');
    y = tf.maxPool(pad(y, 1), 3, 2, 'valid');
    for (const stage of stages)
      for (const block of stage) {
        let z = conv(y, block.a, 1, 'same', 'relu');
        z =
          block.s === 2
            ? conv(pad(z, 1), block.b, 2, 'valid', 'relu')
            : conv(z, block.b, 1, 'same', 'relu');
        z = conv(z, block.c, 1, 'same', 'linear');
        y = tf.relu(tf.add(z, block.d ? conv(y, block.d, block.s, 'valid', 'linear') : y));
      }
    return tf.add(tf.matMul(tf.mean(y, [1, 2]), fc.k.reshape([2048, 1000])), fc.b);
  });

const x = tf.randomNormal([1, 224, 224, 3]);
const ms = [];
for (let i = 0; i < runs + (backend === 'cpu' ? 0 : 2); i++) {
  const start = performance.now();
  const y = forward(x);
  await y.data();
  y.dispose();
  ms.push(performance.now() - start);
}
const timed = ms.slice(-runs).sort((a, b) => a - b);
console.log(
  JSON.stringify({
    peer: `tfjs ${backend}`,
    threads: 1,
    medianMs: timed[runs >> 1],
    minMs: timed[0],
  }),
);
process.exit(0);
