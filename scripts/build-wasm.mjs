// Compiles the SIMD backend twice, from one source: `simd` for every engine with WebAssembly SIMD, `relaxed` with fused
// multiply–add. Writes dist/kernels/wasm/{simd,relaxed}.wasm and, for whoever cannot import those, the same bytes as
// text (src/kernels/wasm/byte-text.ts) in src/kernels/wasm/embedded.ts. Neither is committed.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = `${root}src/kernels/wasm/assembly/index.ts`;
const out = `${root}dist/kernels/wasm`;
const BUILDS = { simd: [], relaxed: ['--enable', 'relaxed-simd'] };
// Pieces of both builds lie side by side: gzip finds again what is at most 32 KB away.
const PIECES = 2;

mkdirSync(out, { recursive: true });
const texts = {};
for (const [name, flags] of Object.entries(BUILDS)) {
  const file = `${out}/${name}.wasm`;
  const common = [
    '-O3',
    '--converge',
    '--noAssert',
    '--runtime',
    'stub',
    '--importMemory',
    '--zeroFilledMemory',
    '--enable',
    'simd',
  ];
  // AS112 warns of vectors at the module's edge: no export of ours has one.
  const args = [source, ...common, ...flags, '--disableWarning', '112', '--outFile', file];
  const { error, stderr } = await asc.main(args);
  if (error) {
    console.error(stderr.toString());
    throw error;
  }
  texts[name] = piecesOf(readFileSync(file)).map(encodeBytes);
}
const pieces = Array.from({ length: PIECES }, (_, i) => ({
  relaxed: texts.relaxed[i],
  simd: texts.simd[i],
}));
writeFileSync(
  `${root}src/kernels/wasm/embedded.ts`,
  `/** Written by scripts/build-wasm.mjs: both modules, in pieces. See byte-text.ts. */
export const PIECES: readonly { readonly relaxed: string; readonly simd: string }[] = ${JSON.stringify(pieces)};
`,
);

function piecesOf(bytes) {
  const length = Math.ceil(bytes.length / PIECES);
  return Array.from({ length: PIECES }, (_, i) => bytes.subarray(i * length, (i + 1) * length));
}

function encodeBytes(bytes) {
  const text = Array.from(bytes, (byte) => {
    const value = (byte + 8) % 256;
    const digits = value < 85 ? [value] : [85 + Math.floor((value - 85) / 87), (value - 85) % 87];
    return String.fromCharCode(...digits.map((digit) => 40 + digit));
  });
  return text.join('');
}
