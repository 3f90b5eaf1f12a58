/** The snippets of docs/algorithm.md, joined to one program, compute the same as the library. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../', import.meta.url);
const page = readFileSync(new URL('docs/algorithm.md', ROOT), 'utf8');

/** The page's introduction, and its steps by their headings. */
const [introduction, ...steps] = page.split(/^## /m) as [string, ...string[]];

/** The code of a part of the page. */
function snippetsOf(text: string): string {
  return [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code).join('\n');
}

/** Runs a module as somebody would who has the package. */
function run(code: string): void {
  const args = ['--input-type=module', '--eval', code];
  execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' });
}

describe('docs/algorithm.md', () => {
  it('its snippets give the same as the program, within the stated bounds', () => {
    run(snippetsOf(page));
  });

  it.each([
    ['a value beyond the bound', '[1, 2.5]', /off by 0.5/],
    ['NaN', '[1, NaN]', /off by/],
    ['another shape', '[1, 2, 3]', /deep-equal/],
  ])('has a near() that refuses %s', (_, values, message) => {
    const near = (to: string) =>
      `${snippetsOf(introduction)}\nnear(ndarray([1, 2]), ndarray(${to}), 0.25);`;
    run(near('[1.25, 2]'));
    expect(() => run(near(values))).toThrow(message);
  });

  it.each(steps.map((text) => [text.slice(0, text.indexOf('\n')), text] as const))(
    'step %s has its equation, its file, and a snippet that ends in a check',
    (_, text) => {
      expect(text).toMatch(/^> /m);
      expect(text).toMatch(/\]\(\.\.\/src\/[\w/-]+\.ts\)/);
      expect(snippetsOf(text)).toMatch(/\b(near|assert\.\w+)\([^;]*;[^\n]*\n(\}\);\n|\}\n)?$/);
    },
  );
});
