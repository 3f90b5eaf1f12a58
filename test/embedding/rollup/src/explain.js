/** Explains a picture in the page itself. A worker is better: this takes the page's time. */

import { loadNetwork, makeKernels } from 'fastcam';

export async function explain(pictureUrl, modelUrl) {
  const [kernels, model, picture] = await Promise.all([
    makeKernels(),
    fetch(modelUrl),
    fetch(pictureUrl).then((response) => response.blob()),
  ]);
  const net = await loadNetwork(model.body, { kernels });
  const bitmap = await createImageBitmap(picture);
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const e = net.explain(context.getImageData(0, 0, bitmap.width, bitmap.height));
  return `${e.top(1)[0].label}, ${kernels.name}`;
}
