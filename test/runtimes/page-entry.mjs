/** The suite in a page: posts its report to where the page came from. */

import { runSuite } from './suite.mjs';

async function read(name) {
  const response = await fetch(`./files/${name}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The browser decodes, and turns the picture as its EXIF orientation says. */
async function decode(file, type) {
  const bitmap = await createImageBitmap(new Blob([file], { type }), {
    colorSpaceConversion: 'none',
  });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d');
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

async function run() {
  const report = await runSuite({ read, decode, clock: () => performance.now() });
  return { ...report, allowed: { ...report.allowed, isolated: crossOriginIsolated } };
}

const outcome = await run().catch((error) => ({ failure: `${error}\n${error.stack}` }));
await fetch('./report', { method: 'POST', body: JSON.stringify(outcome) });
