// Compiles the SIMD backend twice, from one source: `simd` for every engine with WebAssembly SIMD, `relaxed` with fused
// multiply–add. Writes dist/kernels/wasm/{simd,relaxed}.wasm. Most programs cannot import these files, so it also writes
// the same bytes as text (src/kernels/wasm/byte-text.ts) into src/kernels/wasm/embedded.ts. The kernels of the backward
// pass become dist/kernels/wasm/gradient.wasm and src/kernels/gradient/embedded.ts, those of training
// src/kernels/training/embedded.ts, the drawing kernels src/node/drawing/embedded.ts. None of these files is committed.

import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = `${root}dist/kernels/wasm`;
const BUILDS = { simd: [], relaxed: ['--enable', 'relaxed-simd'] };
// Pieces of both builds are next to each other, because gzip finds repetitions only within 32 KB.
const PIECES = 3;

mkdirSync(out, { recursive: true });
const texts = {};
for (const [name, flags] of Object.entries(BUILDS)) {
  const bytes = await compile('src/kernels/wasm/assembly/index.ts', flags);
  writeFileSync(`${out}/${name}.wasm`, bytes);
  texts[name] = piecesOf(bytes).map(encodeBytes);
}
const pieces = Array.from({ length: PIECES }, (_, i) => ({
  simd: texts.simd[i],
  relaxed: texts.relaxed[i],
}));
writeFileSync(
  `${root}src/kernels/wasm/embedded.ts`,
  `/** Written by scripts/build-wasm.mjs: both modules, in pieces. See byte-text.ts. */
export const PIECES: readonly { readonly relaxed: string; readonly simd: string }[] = ${JSON.stringify(pieces)};
`,
);

const gradient = await compile('src/kernels/gradient/assembly/index.ts');
writeFileSync(`${out}/gradient.wasm`, gradient);
writeModule('src/kernels/gradient/embedded.ts', encodeBytes(gradient), '../wasm/byte-text.ts');
const training = await compile('src/kernels/training/assembly/index.ts');
writeModule('src/kernels/training/embedded.ts', encodeBytes(training), '../wasm/byte-text.ts');
const { outputFiles } = await build({
  entryPoints: [`${root}src/kernels/threads/worker.ts`],
  bundle: true,
  minify: true,
  format: 'iife',
  write: false,
});
writeFileSync(
  `${root}src/kernels/threads/embedded.ts`,
  `/** Written by scripts/build-wasm.mjs: worker.ts and what it imports, as one script. */
export const WORKER = ${JSON.stringify(outputFiles[0].text)};
`,
);
const drawing = await compile('src/node/drawing/assembly/index.ts');
writeModule('src/node/drawing/embedded.ts', Buffer.from(drawing).toString('base64'), 'base64');

function writeModule(path, text, encoding) {
  writeFileSync(
    `${root}${path}`,
    `/** Written by scripts/build-wasm.mjs: assembly/index.ts, compiled, as text (${encoding}). */
export const MODULE = ${JSON.stringify(text)};
`,
  );
}

async function compile(source, flags = []) {
  let bytes;
  const { error, stderr } = await asc.main(
    [
      ...[`${root}${source}`, '-O3', '--converge', '--noAssert', '--runtime', 'stub'],
      ...['--importMemory', '--zeroFilledMemory', '--enable', 'simd', ...flags],
      // AS112 warns about vectors in exported functions; our exports have none.
      ...['--disableWarning', '112', '--outFile', 'module.wasm'],
    ],
    {
      writeFile(_, contents) {
        bytes = contents;
      },
    },
  );
  if (error) {
    console.error(stderr.toString());
    throw error;
  }
  return bytes;
}

function piecesOf(bytes) {
  const length = Math.ceil(bytes.length / PIECES);
  return Array.from({ length: PIECES }, (_, i) => bytes.subarray(i * length, (i + 1) * length));
}

function encodeBytes(bytes) {
  const text = Array.from(bytes, (byte) => {
    const value = (byte + 3) % 256;
    const digits = value < 85 ? [value] : [85 + Math.floor((value - 85) / 87), (value - 85) % 87];
    return String.fromCharCode(...digits.map((digit) => 40 + digit));
  });
  return text.join('');
}
