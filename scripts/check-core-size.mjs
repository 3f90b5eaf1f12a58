// Prints what the core costs whoever embeds it, minified and gzipped, and fails when it is more than it may be. The
// build must be there.
//
// Two bundles: the usual one, with both wasm builds in it as text, and workerd's, which imports them as files. Of
// that one all files are packed together, as wrangler does it for the size that Cloudflare's limit is about.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const LIMIT_BYTES = 60_000;
const WASM_FILES = ['relaxed.wasm', 'simd.wasm'];

const root = fileURLToPath(new URL('..', import.meta.url));
const embedded = packed(await bundled([]));
const script = await bundled(['workerd']);
const modules = WASM_FILES.map((name) => readFileSync(`${root}dist/kernels/wasm/${name}`));
const separate = packed(Buffer.concat([...modules, script]));

report('Core with both wasm builds embedded', embedded);
report(
  `Core for workerd, both wasm builds as files (its script alone: ${kilobytes(packed(script))})`,
  separate,
);

/** Of everything that the entry `fastcam` exports. */
async function bundled(conditions) {
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
  return outputFiles[0].contents;
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
