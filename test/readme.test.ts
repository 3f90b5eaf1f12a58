/** The README keeps its word: its code prints what it says it prints, and its links lead somewhere. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const ROOT = new URL('../', import.meta.url);
const README = readFileSync(new URL('README.md', ROOT), 'utf8');

it('prints from its example what it shows below it', () => {
  const [, code, output] = /```js\n(.*?)```.*?```text\n(.*?)```/s.exec(README)!;
  const args = ['--input-type=module', '--eval', code!];
  expect(execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' })).toBe(output);
});

it.each([
  'README.md',
  'CONTRIBUTING.md',
  'docs/algorithm.md',
  'docs/architecture.md',
  'docs/embedding.md',
  'docs/normalizers.md',
  'docs/performance.md',
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

it('names only commands that package.json has', () => {
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));
  const named = [...README.matchAll(/npm run ([\w:]+)/g)].map(([, script]) => script!);
  expect(named.filter((script) => !(script in scripts))).toEqual([]);
});
