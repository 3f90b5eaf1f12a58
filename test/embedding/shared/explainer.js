/** Explains pictures in a worker: pixels come in as messages, classes and the overlay go out. */

import { loadNetwork, makeKernels } from 'fastcam';
import { overlay } from 'fastcam/viz';

/** @param {string} url of a network's weights */
export function explainPictures(url) {
  const loading = load(url);
  addEventListener('message', async ({ data: picture, ports: [answer] }) => {
    try {
      const net = await loading;
      const e = net.explain(picture);
      const { data, width, height } = overlay(picture, e.fastcamMap);
      const pixels = new Uint8ClampedArray(data.buffer, data.byteOffset, data.length);
      const image = { pixels, width, height };
      answer.postMessage({ top: e.top(5), backend: net.kernels.name, overlay: image });
    } catch (error) {
      answer.postMessage({ error: error.message });
    }
  });
}

async function load(url) {
  const kernels = await makeKernels();
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return loadNetwork(response.body, { kernels });
}
