/** The README is correct: its code prints the output that it shows, and its links work. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from './temporary-folder.js';

const ROOT = new URL('../', import.meta.url);
const README = readFileSync(new URL('README.md', ROOT), 'utf8');

const { folder, write } = temporaryFolder('readme');

beforeAll(() => {
  mkdirSync(`${folder}/node_modules`);
  symlinkSync(fileURLToPath(ROOT), `${folder}/node_modules/fastcam`);
});

// `npm run test:embedding` runs it with the package as npm installs it.
it('its example prints the output shown below it, and writes two pictures', () => {
  const [, code, output] = /```js\n(.*?)```.*?```text\n(.*?)```/s.exec(README)!;
  const args = [write('example.mjs', code!)];
  expect(execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })).toBe(output);
  const [cat, tabby] = ['cat.png', 'tabby.png'].map((name) => readFileSync(`${folder}/${name}`));
  expect(cat!.equals(tabby!)).toBe(false);
});

it('shows what `fastcam inspect bundled` prints', () => {
  const [, output] = /```text\n\$ npx fastcam inspect bundled\n(.*?)```/s.exec(README)!;
  const args = [fileURLToPath(new URL('dist/cli/main.js', ROOT)), 'inspect', 'bundled'];
  expect(execFileSync(process.execPath, args, { encoding: 'utf8' })).toBe(output);
});

it.each(['methods', 'stream'])(
  'the example of docs/%s.md prints the output shown below it',
  (name) => {
    const page = readFileSync(new URL(`docs/${name}.md`, ROOT), 'utf8');
    const [, code, output] = /```js\n(.*?)```.*?```text\n(.*?)```/s.exec(page)!;
    const args = [write(`${name}.mjs`, code!)];
    const cwd = fileURLToPath(ROOT);
    expect(execFileSync(process.execPath, args, { cwd, encoding: 'utf8' })).toBe(output);
  },
);

it.each([
  'README.md',
  'CONTRIBUTING.md',
  'docs/activations.md',
  'docs/algorithm.md',
  'docs/architecture.md',
  'docs/claims.md',
  'docs/embedding.md',
  'docs/evaluation.md',
  'docs/evidence.md',
  'docs/large-pictures.md',
  'docs/methods.md',
  'docs/normalizers.md',
  'docs/performance.md',
  'docs/stream.md',
  'docs/models.md',
  'docs/runtimes.md',
  'docs/weights.md',
  'docs/order-equivalence.md',
])('%s links to files that exist', (name) => {
  const page = new URL(name, ROOT);
  const links = [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(
    ([, to]) => to!,
  );
  const local = links.filter((to) => !to.startsWith('https:'));
  expect(local.length).toBeGreaterThan(0);
  expect(local.filter((to) => !existsSync(new URL(to, page)))).toEqual([]);
});

it.each(['README.md', 'docs/claims.md', 'docs/evidence.md'])(
  '%s names only scripts that package.json has, and files that exist',
  (name) => {
    const page = readFileSync(new URL(name, ROOT), 'utf8');
    const { scripts } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));
    const named = [...page.matchAll(/npm run ([\w:]+)/g)].map(([, script]) => script!);
    expect(named.filter((script) => !(script in scripts))).toEqual([]);
    const commands = [...page.matchAll(/(?:vitest run|node) ((?:[\w./-]+\/[\w./-]+ ?)+)/g)];
    const files = commands.flatMap(([, paths]) => paths!.trim().split(' '));
    expect(files.filter((file) => !existsSync(new URL(file, ROOT)))).toEqual([]);
  },
);
