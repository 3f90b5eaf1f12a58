/** docs/activations.md shows the files of examples/activations, which their own tests run: `npm run test:activations`. */

import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const ROOT = new URL('../', import.meta.url);
const EXAMPLES = new URL('examples/activations/', ROOT);
const PAGE = readFileSync(new URL('docs/activations.md', ROOT), 'utf8');

const recipes = readdirSync(EXAMPLES).filter((name) => name.endsWith('.mjs'));

it.each(recipes)('docs/activations.md shows %s unchanged, after a link to it', (name) => {
  const code = readFileSync(new URL(name, EXAMPLES), 'utf8');
  const shown = `[${name}](../examples/activations/${name}):\n\n\`\`\`js\n${code}\`\`\`\n`;
  expect(PAGE).toContain(shown);
});

it('states the versions with which the recipes are run', () => {
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', EXAMPLES), 'utf8'));
  const minor = (name: string): string => /^\d+\.\d+/.exec(dependencies[name])![0];
  expect(PAGE).toContain(`TensorFlow.js ${minor('@tensorflow/tfjs')}`);
  for (const name of ['onnxruntime-web', 'onnxruntime-node']) {
    expect(PAGE).toContain(`${name} ${minor(name)}`);
  }
});
