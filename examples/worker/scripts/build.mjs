// What `wrangler deploy` uploads, made by esbuild as wrangler does: the script, and beside it the modules that it
// imports. In dist/, and the worker for an ONNX file in dist/onnx/. Fails when one is larger, gzipped and without the
// weights, than it may be.

import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const LIMIT_BYTES = 250_000;
const WEIGHTS = /\.(?:safetensors|onnx)$/;

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}dist`, { recursive: true, force: true });
await buildWorker('src/index.ts', 'dist');
await buildWorker('src/onnx.ts', 'dist/onnx');

async function buildWorker(entry, outdir) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outdir,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['node:*'],
    loader: { '.wasm': 'copy', '.safetensors': 'copy', '.onnx': 'copy' },
    metafile: true,
  });
  let code = 0;
  for (const path of Object.keys(metafile.outputs)) {
    const packed = gzipSync(readFileSync(`${root}${path}`), { level: 9 }).length;
    console.log(`${path}: ${kilobytes(packed)} gzipped`);
    if (!WEIGHTS.test(path)) code += packed;
  }
  console.log(
    `${entry}, without the weights: ${kilobytes(code)}, at most ${kilobytes(LIMIT_BYTES)} allowed`,
  );
  if (code > LIMIT_BYTES) process.exitCode = 1;
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1)} KB`;
}
