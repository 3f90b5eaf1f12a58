/** docs/embedding.md shows the files of test/embedding, which `npm run test:embedding` installs, builds and runs. */

import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const RECIPES = new URL('embedding/', import.meta.url);
const PAGE = readFileSync(new URL('../docs/embedding.md', import.meta.url), 'utf8');

/** A link to a file, and the code below it. */
const SHOWN = /\]\(\.\.\/test\/embedding\/([^)]+)\):\n\n```\w+\n(.*?)```\n/gs;
const shown = [...PAGE.matchAll(SHOWN)].map(([, path, code]) => [path!, code!] as const);

it.each(shown)('shows %s as it is run', (path, code) => {
  expect(code).toBe(readFileSync(new URL(path, RECIPES), 'utf8'));
});

it('has a recipe for each project that is run', () => {
  const projects = readdirSync(RECIPES, { withFileTypes: true }).filter((one) => one.isDirectory());
  const told = new Set(shown.map(([path]) => path.split('/', 1)[0]));
  // Two need no code of their own but what the page says in a sentence; one is for the README.
  const others = ['node-bundle', 'package-managers', 'rspack'];
  expect(projects.map(({ name }) => name).filter((name) => !told.has(name))).toEqual(others);
});
