/** node overlay.mjs NETWORK.onnx PICTURE OVERLAY.png TAP,TAP,… WEIGHTS: what the network looked at, over the picture. */

import { readFile, writeFile } from 'node:fs/promises';
import { makeKernels } from 'fastcam';
import { encodePng, readPicture } from 'fastcam/node';
import { overlay } from 'fastcam/viz';
import * as ort from 'onnxruntime-node';
import { explainer } from './onnxruntime.mjs';

const [network, photo, out, names, classWeights] = process.argv.slice(2);
const taps = names.split(',');
// The last scale ends where the classifier takes its features.
const values = { taps, features: taps.at(-1), classWeights };
const explain = await explainer(ort, await readFile(network), values);

const picture = await readPicture(photo);
const e = await explain(picture, { kernels: await makeKernels() });
await writeFile(out, await encodePng(overlay(picture, e.fastcamMap)));
for (const { label, probability } of e.top(3)) console.log(label, probability.toFixed(3));
