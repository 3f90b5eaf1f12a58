/** A service worker, where `import()` is forbidden: answers `GET explain?picture=URL`. */

import { loadNetwork, makeKernels } from 'fastcam';
import model from 'fastcam/models/tiny-resnet50.safetensors';

let loading;

addEventListener('activate', (event) => event.waitUntil(clients.claim()));

addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (url.pathname.endsWith('/explain')) {
    event.respondWith(explain(url.searchParams.get('picture')));
  }
});

async function explain(url) {
  loading ??= load();
  const net = await loading;
  const picture = await fetch(url);
  const bitmap = await createImageBitmap(await picture.blob());
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const e = net.explain(context.getImageData(0, 0, bitmap.width, bitmap.height));
  return new Response(`${e.top(1)[0].label}, ${net.kernels.name}`);
}

async function load() {
  const kernels = await makeKernels();
  return loadNetwork((await fetch(model)).body, { kernels });
}
