// Measures what it costs to explain a picture strip by strip, compared with one pass over a picture of 1024×1024.
//
//   npm run bench:large [-- --network bundled|resnet50|… --width 10000 --height 2560 --tile 1024]
//
// First it checks that the maps of a picture in strips are those of the whole picture. Then it prints processor time for
// each pixel of the network, of both, and their ratio; and the memory. The picture is seeded noise.

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { bundledModel } from '../dist/node/index.js';
import { noiseModel } from '../dist/node/noise-model.js';
import { explainTiled } from '../dist/tiles/index.js';

const SIDE = 1024;
const ROUNDS = 3;

const { values: options } = parseArgs({
  options: {
    network: { type: 'string', default: 'bundled' },
    width: { type: 'string', default: '10000' },
    height: { type: 'string', default: '2560' },
    tile: { type: 'string', default: '1024' },
  },
});
const [width, height, tile] = [options.width, options.height, options.tile].map(Number);
const { network } = options;
const { net } = network === 'bundled' ? await bundledModel() : await noiseModel(network);
console.log(
  `${network}, ${net.kernels.name}, Node ${process.versions.node}, ${cpus()[0].model.trim()}`,
);

await check();
const square = noise(SIDE, SIDE);
const passes = [];
const pass = () => passes.push(explained(() => net.explain(square, { size: SIDE, cam: 'none' })));
for (let i = 0; i < ROUNDS; i++) await pass();
const tiled = await explained(async () => {
  const { explanation } = await explainTiled(net, reader(width, height), {
    tile,
    cam: 'none',
    maps: { longSide: 1600 },
  });
  return explanation;
});
for (let i = 0; i < ROUNDS; i++) await pass();
const each = Math.min(...(await Promise.all(passes))) / SIDE ** 2;
const own = tiled / (width * height);
console.log(`pass over ${SIDE}×${SIDE}: ${(1000 * each).toFixed(3)} µs for each pixel`);
console.log(
  `strips of ${width}×${height}: ${(1000 * own).toFixed(3)} µs for each pixel, ${(own / each).toFixed(2)} times as much`,
);
console.log(`memory at most: ${((process.resourceUsage().maxRSS / 1e6) * 1.024).toFixed(2)} GB`);

/** Processor time of everything from the picture to the maps of the scales, in ms. */
async function explained(explain) {
  const start = process.cpuUsage();
  await explain();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

async function check() {
  const whole = net.explain(noise(320, 640), { size: 320, cam: 'none' });
  const { explanation } = await explainTiled(net, reader(320, 640), { tile: 32, cam: 'none' });
  for (const [i, { data }] of whole.rawMaps.entries()) {
    const odd = data.findIndex((value, p) => value !== explanation.rawMaps[i].data[p]);
    if (odd >= 0) throw new Error(`scale ${i} differs at ${odd}`);
  }
}

/** Rows of `noise(width, height)`. */
function reader(width, height) {
  return { width, height, read: (top, rows) => noise(width, rows, top) };
}

function noise(width, height, top = 0) {
  const data = new Uint8Array(4 * width * height);
  for (let i = 0; i < data.length; i++) {
    data[i] = i % 4 === 3 ? 255 : Math.imul(i + 4 * width * top, 2654435761) >>> 24;
  }
  return { data, width, height };
}
