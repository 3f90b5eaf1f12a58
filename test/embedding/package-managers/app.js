import { fileURLToPath } from 'node:url';
import { bundledModel, readPicture } from 'fastcam/node';

const { net, backend } = await bundledModel();
const sample = fileURLToPath(import.meta.resolve('fastcam/samples/chelsea.png'));
console.log(`${net.explain(await readPicture(sample)).top(1)[0].label}, ${backend}`);
