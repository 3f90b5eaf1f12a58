/** The background of an extension: explains the pictures of the extension's own pages. */

import { loadNetwork, makeKernels } from 'fastcam';
import model from 'fastcam/models/tiny-resnet50.safetensors';

let loading;

chrome.runtime.onMessage.addListener(({ picture }, _, answer) => {
  explain(picture).then(answer, (error) => answer(`failed: ${error.message}`));
  return true; // the answer comes later
});

async function explain(url) {
  loading ??= load();
  const net = await loading;
  const bitmap = await createImageBitmap(await (await fetch(url)).blob());
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const e = net.explain(context.getImageData(0, 0, bitmap.width, bitmap.height));
  return `${e.top(1)[0].label}, ${net.kernels.name}`;
}

async function load() {
  const kernels = await makeKernels();
  return loadNetwork((await fetch(model)).body, { kernels });
}
