// Prints what the core costs whoever embeds it, minified and gzipped, and fails when it is more than it may be. The
// build must be there.
//
// Two bundles: the usual one, with both wasm builds in it as text, and workerd's, which imports them as files.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const LIMIT_BYTES = 60_000;
const WASM_FILES = ['relaxed.wasm', 'simd.wasm'];

const root = fileURLToPath(new URL('..', import.meta.url));
const embedded = await bundledBytes([]);
const script = await bundledBytes(['workerd']);
const modules = WASM_FILES.map((name) => packed(readFileSync(`${root}dist/kernels/wasm/${name}`)));
const separate = [script, ...modules].reduce((sum, bytes) => sum + bytes, 0);

report('Core with both wasm builds embedded', embedded);
report(`Core for workerd, ${kilobytes(script)} of script and both wasm builds as files`, separate);

/** Of everything that the entry `fastcam` exports. */
async function bundledBytes(conditions) {
  const { outputFiles } = await build({
    stdin: { contents: "export * from 'fastcam';", resolveDir: root },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    conditions,
    external: ['*.wasm'],
    write: false,
  });
  return packed(outputFiles[0].contents);
}

function packed(bytes) {
  return gzipSync(bytes, { level: 9 }).length;
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1)} KB`;
}

function report(what, bytes) {
  const most = kilobytes(LIMIT_BYTES);
  console.log(`${what}: ${kilobytes(bytes)} minified and gzipped, at most ${most} allowed`);
  if (bytes > LIMIT_BYTES) process.exitCode = 1;
}
