import { readFile } from 'node:fs/promises';
import { loadNetwork, makeKernels } from 'fastcam';
import model from 'fastcam/models/tiny-resnet50.safetensors' with { type: 'file' };
import { readPicture } from 'fastcam/node';

const kernels = await makeKernels();
const net = await loadNetwork(await readFile(model), { kernels });
const e = net.explain(await readPicture(process.argv[2]));
console.log(`${e.top(1)[0].label}, ${kernels.name}`);
