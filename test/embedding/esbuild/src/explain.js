/** As in the other recipes, but for the worker: esbuild bundles it as an entry of its own, a classic script. */

const worker = new Worker('worker.js');

/** @param {string} url of a picture @returns its likeliest classes, the overlay, and what computed them */
export async function explain(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const { naturalWidth: width, naturalHeight: height } = image;
  const context = new OffscreenCanvas(width, height).getContext('2d');
  context.drawImage(image, 0, 0);
  // A channel for each picture: answers to several do not mix.
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(context.getImageData(0, 0, width, height), [port2]);
  return new Promise((resolve, reject) => {
    worker.addEventListener('error', ({ message }) => reject(new Error(message)), { once: true });
    port1.onmessage = ({ data }) => {
      port1.close();
      if (data.error === undefined) resolve(data);
      else reject(new Error(data.error));
    };
  });
}
