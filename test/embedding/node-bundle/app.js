import { bundledModel, readPicture } from 'fastcam/node';

export async function main(path) {
  const picture = await readPicture(path);
  console.log(`${picture.width}×${picture.height}`);
  const { net, backend } = await bundledModel();
  console.log(`${net.explain(picture).top(1)[0].label}, ${backend}`);
}

main(process.argv[2]);
