import { readFile } from 'node:fs/promises';
import { makeKernels } from 'fastcam';
import { bundledModel, decodePicture, explainFile, openModel, readPicture } from 'fastcam/node';
import * as pytorch from 'fastcam/pytorch';

export async function explained(path: string): Promise<unknown> {
  using kernels = await makeKernels('simd');
  const { explanation, report } = await explainFile(path, { out: 'out' });
  const picture = await decodePicture(await readFile(path), path);
  const model = await bundledModel();
  return [
    kernels.name,
    explanation.top(5),
    report.model.backend,
    picture.width,
    model.net,
    pytorch,
    openModel,
    readPicture,
  ];
}
