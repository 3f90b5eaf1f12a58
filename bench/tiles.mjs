// Which register tile, and which operands? Times the innermost loop of a matrix product, c = a·b, for tiles of MR×NR
// sums held in local variables, with panels of doubles, floats, or one of each:
//
//   node bench/tiles.mjs [--K 256] [--time 300]
//
// This program generates each loop, checks it against the plain triple loop, and times it on panels that stay in the
// first-level cache. So the figure is the engine's limit, without the time for gathering, storing and memory.

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { Bench } from 'tinybench';

const { values: options } = parseArgs({
  options: { K: { type: 'string', default: '256' }, time: { type: 'string', default: '300' } },
});
const K = Number(options.K);
/** Tiles in one timed call. */
const REPEATS = 400;

const TILES = [
  [3, 3],
  [3, 4],
  [4, 3],
  [4, 4],
  [5, 3],
  [3, 5],
  [4, 6],
  [6, 4],
];
const OPERANDS = {
  'f64 × f64': [Float64Array, Float64Array],
  'f32 × f32': [Float32Array, Float32Array],
  'f64 × f32': [Float64Array, Float32Array],
};

const bench = new Bench({ time: Number(options.time), warmupTime: 100 });
let sink = 0;
const cases = [
  ...TILES.map(([MR, NR]) => ({ MR, NR, operands: 'f64 × f64' })),
  ...Object.keys(OPERANDS)
    .slice(1)
    .map((operands) => ({ MR: 4, NR: 4, operands })),
];
for (const { MR, NR, operands } of cases) {
  const [A, B] = OPERANDS[operands];
  const a = new A(K * MR).map((_, i) => Math.sin(i));
  const b = new B(K * NR).map((_, i) => Math.cos(i));
  const tile = new Float64Array(MR * NR);
  const gemm = writeGemm(MR, NR);
  gemm(tile, K, a, b);
  check(tile, a, b, MR, NR);
  bench.add(`${MR}×${NR} ${operands}`, () => {
    for (let i = 0; i < REPEATS; i++) gemm(tile, K, a, b);
    sink += tile[0];
  });
}
bench.runSync();

const table = new Table({
  head: ['tile', 'operands', 'GMAC/s at best'],
  colAligns: ['left', 'left', 'right'],
  style: { head: [], border: [], compact: true },
});
cases.forEach(({ MR, NR, operands }, i) => {
  const rate = (REPEATS * K * MR * NR) / bench.tasks[i].result.latency.min / 1e6;
  table.push([`${MR}×${NR}`, operands, rate.toFixed(2)]);
});
console.log(`K = ${K}, Node ${process.versions.node}, ${cpus()[0].model.trim()}`);
console.log(table.toString());
console.log(`(sink ${sink.toExponential(3)})`);

/** A separate function for every case, so that the engine knows the types of its operands. */
function writeGemm(MR, NR) {
  const rows = Array.from({ length: MR }, (_, i) => i);
  const columns = Array.from({ length: NR }, (_, j) => j);
  const sums = rows.flatMap((i) => columns.map((j) => [`c${i}_${j}`, i, j]));
  return new Function(
    'tile, K, a, b',
    `${sums.map(([c]) => `let ${c} = 0;`).join('')}
    for (let k = 0, p = 0, q = 0; k < K; k++, p += ${MR}, q += ${NR}) {
      ${columns.map((j) => `const b${j} = b[q + ${j}];`).join('')}
      ${rows.map((i) => `const a${i} = a[p + ${i}]; ${columns.map((j) => `c${i}_${j} += a${i} * b${j};`).join('')}`).join('')}
    }
    ${sums.map(([c, i, j]) => `tile[${i * NR + j}] = ${c};`).join('')}`,
  );
}

/** @throws unless tile[i, j] = Σ_k a[k, i]·b[k, j], summed in the same order: bit for bit */
function check(tile, a, b, MR, NR) {
  for (let i = 0; i < MR; i++) {
    for (let j = 0; j < NR; j++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += a[k * MR + i] * b[k * NR + j];
      if (tile[i * NR + j] !== sum) throw new Error(`${MR}×${NR}: [${i}, ${j}] is wrong`);
    }
  }
}
