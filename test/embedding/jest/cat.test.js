import { expect, test } from '@jest/globals';
import { bundledModel, readPicture } from 'fastcam/node';

test('sees a cat', async () => {
  const { net, backend } = await bundledModel();
  const [first] = net.explain(await readPicture('cat.png')).top(1);
  expect(first.label).toBe('Egyptian cat');
  expect(backend).toMatch(/relaxed|simd/);
});
