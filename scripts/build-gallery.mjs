// Bundles the script and the style of the page that `--gallery` writes: dist/node/gallery/page.js and page.css, which
// src/node/gallery/gallery.ts puts into it.

import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = `${root}src/node/gallery/page`;

await build({
  entryPoints: ['main.ts', 'style.css'].map((name) => ({ in: `${page}/${name}`, out: 'page' })),
  outdir: `${root}dist/node/gallery`,
  bundle: true,
  minify: true,
  // A classic script, because a page from disk cannot load a module.
  format: 'iife',
  charset: 'utf8',
  target: 'es2022',
  logLevel: 'warning',
});
