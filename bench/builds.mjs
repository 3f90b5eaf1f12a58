// Measures which SIMD build is faster on each engine, and prints which one `auto` takes there.
//
//   npm run bench:builds [-- --rounds 5] [--runs 9] [--engine node,bun]
//
// A ResNet-50 with its saliency at 224×224 in both builds, in alternating processes. The engines are the command-line
// programs of `npm run test:runtimes`.

import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { median } from '../dist/node/stopwatch.js';

const PROGRAM = fileURLToPath(new URL('peers/fastcam.mjs', import.meta.url));
const MODULES = fileURLToPath(new URL('../test/runtimes/node_modules/', import.meta.url));
// Node 20 has relaxed SIMD behind a flag; the flag does not change what `auto` takes.
const ENGINES = {
  'Node 20': ['node20/bin/node', '--experimental-wasm-relaxed-simd'],
  'Node 22': ['node22/bin/node'],
  'Node 24': ['node24/bin/node'],
  'Node 26': ['node26/bin/node'],
  Deno: ['@deno/linux-x64-glibc/deno', 'run', '--allow-all'],
  Bun: ['@oven/bun-linux-x64/bin/bun'],
};

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    runs: { type: 'string', default: '9' },
    engine: { type: 'string', default: '' },
  },
});

const begins = options.engine.toLowerCase().split(',');
const table = new Table({
  head: ['', 'simd, ms', 'relaxed, ms', 'relaxed ÷ simd', 'auto takes'],
  colAligns: ['left', 'right', 'right', 'right', 'left'],
  style: { head: [], border: [] },
});
for (const [name, [path, ...flags]] of Object.entries(ENGINES)) {
  if (!begins.some((begin) => name.toLowerCase().startsWith(begin))) continue;
  const run = (build, runs = options.runs) => {
    const call = [...flags, PROGRAM, build, runs];
    return JSON.parse(execFileSync(MODULES + path, call, { encoding: 'utf8' }));
  };
  const builds = { simd: [], relaxed: [] };
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [build, times] of Object.entries(builds)) times.push(run(build).medianMs);
  }
  const [simd, relaxed] = Object.values(builds).map(median);
  const { peer } = run('auto', '1');
  table.push([
    name,
    simd.toFixed(0),
    relaxed.toFixed(0),
    (relaxed / simd).toFixed(2),
    peer.replace('fastcam ', ''),
  ]);
}
console.log(
  `ResNet-50, 1×224×224, one thread, medians of ${options.rounds} alternating processes; ${cpus()[0].model.trim()}`,
);
console.log(table.toString());
