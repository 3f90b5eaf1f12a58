/** The files that come with the package, and what the code says of the package. */

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { jsKernels, loadNetwork } from '../../src/index.js';
import { bundledWeights, imagenetLabels } from '../../src/node/assets.js';
import { VERSION } from '../../src/node/version.js';

const readJson = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'));

it('has class names in the bundled file itself, the same as in the separate list', async () => {
  const net = await loadNetwork(readFileSync(bundledWeights()), { kernels: jsKernels() });
  expect(net.labels).toEqual(readJson('models/tiny-resnet50-labels.json'));
  expect(net.labels).toContain('Egyptian cat');
});

it('has a name for each of ImageNet’s classes', () => {
  expect(JSON.parse(readFileSync(imagenetLabels(), 'utf8'))).toHaveLength(1000);
});

it('says the version that package.json has', () => {
  expect(readJson('package.json')).toHaveProperty('version', VERSION);
});
