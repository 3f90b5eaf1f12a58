/** `fastcam explain --tile` and the options that do not fit it. */

import { expect, test } from 'vitest';
import { failure } from './terminal.js';

test.each([
  ['--size', '64'],
  ['--fit', 'crop'],
  ['--gallery'],
  ['--full-size'],
  ['--method', 'gradient'],
  ['--tensors', 'x.safetensors'],
])('%s does not fit --tile', async (...flags) => {
  const line = await failure(2, 'explain', 'a.tif', '--tile', '64', ...flags);
  expect(line).toContain(`--tile explains pictures at their own resolution, without ${flags[0]}`);
});
