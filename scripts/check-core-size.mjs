// Prints the size of the core in a bundle, minified and gzipped. Fails if it is above the limit. It needs the build.
//
// Bundles:
// - the usual one, which contains both wasm builds as text;
// - workerd's, which imports them as files: all files are compressed together, as wrangler does for Cloudflare's limit;
// - the usual one with the reader of ONNX files and the package that it needs;
// - the usual one with the methods that need gradients, and their wasm module.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const LIMIT_BYTES = 60_000;
const ONNX_LIMIT_BYTES = 85_000;
const GRADIENTS_LIMIT_BYTES = 80_000;
const WASM_FILES = ['relaxed.wasm', 'simd.wasm'];

const root = fileURLToPath(new URL('..', import.meta.url));
const embedded = packed(await bundled([], 'fastcam'));
const script = await bundled(['workerd'], 'fastcam');
const modules = WASM_FILES.map((name) => readFileSync(`${root}dist/kernels/wasm/${name}`));
const separate = packed(Buffer.concat([...modules, script]));

report('Core with both wasm builds embedded', embedded);
report(
  `Core for workerd, both wasm builds as files (its script alone: ${kilobytes(packed(script))})`,
  separate,
);
report(
  'Core with ONNX, both wasm builds embedded',
  packed(await bundled([], 'fastcam/onnx')),
  ONNX_LIMIT_BYTES,
);
report(
  'Core with gradients, all three wasm builds embedded',
  packed(await bundled([], 'fastcam', 'fastcam/gradients')),
  GRADIENTS_LIMIT_BYTES,
);

/** Bundles everything that the entries export. */
async function bundled(conditions, ...entries) {
  const { outputFiles } = await build({
    stdin: {
      contents: entries.map((entry) => `export * from '${entry}';`).join('\n'),
      resolveDir: root,
    },
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

function report(what, bytes, limit = LIMIT_BYTES) {
  const most = kilobytes(limit);
  console.log(`${what}: ${kilobytes(bytes)} minified and gzipped, at most ${most} allowed`);
  if (bytes > limit) process.exitCode = 1;
}
