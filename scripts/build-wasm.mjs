// Compiles the SIMD backend twice, from one source: `simd` for every engine with WebAssembly SIMD, `relaxed` with fused
// multiply–add. Writes dist/kernels/wasm/{simd,relaxed}.wasm and, for whoever cannot import those, the same bytes in
// base64 as src/kernels/wasm/embedded.ts. Neither is committed.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = `${root}src/kernels/wasm/assembly/index.ts`;
const out = `${root}dist/kernels/wasm`;
const BUILDS = { simd: [], relaxed: ['--enable', 'relaxed-simd'] };

mkdirSync(out, { recursive: true });
let embedded = '/** Written by scripts/build-wasm.mjs: the modules in base64. */\n';
for (const [name, flags] of Object.entries(BUILDS)) {
  const file = `${out}/${name}.wasm`;
  const common = [
    '-O3',
    '--converge',
    '--noAssert',
    '--runtime',
    'stub',
    '--importMemory',
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
  const base64 = readFileSync(file).toString('base64');
  embedded += `export const ${name}: string =\n  '${base64}';\n`;
}
writeFileSync(`${root}src/kernels/wasm/embedded.ts`, embedded);
