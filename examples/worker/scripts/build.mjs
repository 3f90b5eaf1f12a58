// What `wrangler deploy` uploads, made by esbuild as wrangler does: the script, and beside it the modules that it
// imports. Fails when it is larger, gzipped and without the weights, than it may be.

import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const LIMIT_BYTES = 250_000;

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}dist`, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/index.ts'],
  outdir: 'dist',
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  conditions: ['workerd', 'worker', 'browser'],
  external: ['node:*'],
  loader: { '.wasm': 'copy', '.safetensors': 'copy' },
  metafile: true,
});

let code = 0;
for (const path of Object.keys(metafile.outputs)) {
  const packed = gzipSync(readFileSync(`${root}${path}`), { level: 9 }).length;
  console.log(`${path}: ${kilobytes(packed)} gzipped`);
  if (!path.endsWith('.safetensors')) code += packed;
}
console.log(`Without the weights: ${kilobytes(code)}, at most ${kilobytes(LIMIT_BYTES)} allowed`);
if (code > LIMIT_BYTES) process.exitCode = 1;

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1)} KB`;
}
