import { json } from '@sveltejs/kit';
import { bundledModel, decodePicture } from 'fastcam/node';

export async function POST({ request }) {
  const { net, backend } = await bundledModel();
  const bytes = new Uint8Array(await request.arrayBuffer());
  const e = net.explain(await decodePicture(bytes, 'the picture'));
  return json({ label: e.top(1)[0].label, backend });
}
