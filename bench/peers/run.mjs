// Races fastcam against its peers, process by process, alternating, on Node 20 and 24, and prints medians and ratios.
//
//   npm run bench:peers [-- --network resnet50] [--json] [--rounds 3] [--node 20,24] [--race js,simd,relaxed]
//
// A network is one of the library's table (src/node/architectures.ts), with weights of noise. A race is a backend of ours
// and the peers it is measured against. Each peer checks its logits against fastcam's before it is timed; what fastcam
// computes is checked by the tests.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Ours, the peers, and the runs in each process (a slow one needs few). */
const RACES = {
  js: { runs: 1, peers: [['tfjs.mjs', 'cpu']] },
  simd: { runs: 9, peers: [['tfjs.mjs', 'wasm'], ['ort-web.mjs']] },
  // Not on Node 20, which lacks it.
  relaxed: { runs: 9, peers: [['tfjs.mjs', 'wasm'], ['ort-web.mjs']] },
};

const { values: options } = parseArgs({
  options: {
    network: { type: 'string', default: 'resnet50' },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    node: { type: 'string', default: '20,24' },
    race: { type: 'string', default: Object.keys(RACES).join(',') },
  },
});

if (!existsSync(`${here}node_modules`)) {
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: here,
    stdio: ['ignore', 2, 2],
  });
}

const results = [];
for (const node of options.node.split(',')) {
  for (const race of options.race.split(',')) {
    // Node 20 has relaxed SIMD behind a flag only.
    if (node !== '20' || race !== 'relaxed') results.push(runRace(node, race));
  }
}
const machine = `${cpus()[0].model.trim()}, ${cpus().length} CPUs`;
if (options.json) console.log(JSON.stringify({ machine, results }, null, 2));
else print();

/** One backend against its peers on one Node: ours, peer, ours, peer, … */
function runRace(node, race) {
  const { runs, peers } = RACES[race];
  const binary = `${here}node_modules/node${node}/bin/node`;
  const run = (program, ...args) => {
    const call = [here + program, ...args, options.network];
    const { status, stdout, stderr } = spawnSync(binary, call, { cwd: here, encoding: 'utf8' });
    if (status === 0) return JSON.parse(stdout.trim().split('\n').at(-1));
    console.error(`${program} ${args.join(' ')} failed:\n${stderr}`);
    process.exit(1);
  };
  const ours = [];
  const cold = [];
  const theirs = peers.map(() => []);
  for (let round = 0; round < Number(options.rounds); round++) {
    ours.push(run('fastcam.mjs', race, String(Math.max(runs, 3))));
    cold.push(run('fastcam-cold.mjs', race));
    peers.forEach(([program, ...args], i) => {
      theirs[i].push(run(program, ...args, String(runs)));
    });
  }
  const fastcam = { ...mediansOf(ours), coldMs: mediansOf(cold).coldMs };
  return {
    node: execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim().slice(1),
    fastcam,
    peers: theirs.map((lines) => {
      const peer = mediansOf(lines);
      return {
        ...peer,
        ratio: fastcam.medianMs / peer.medianMs,
        ...(peer.coldMs && { coldRatio: fastcam.coldMs / peer.coldMs }),
      };
    }),
  };
}

/** The median of every figure that the processes printed. */
function mediansOf(lines) {
  const medians = { peer: lines[0].peer };
  for (const [key, value] of Object.entries(lines[0])) {
    if (typeof value !== 'number') continue;
    medians[key] = lines.map((line) => line[key]).sort((a, b) => a - b)[lines.length >> 1];
  }
  return medians;
}

function print() {
  console.log(
    `${options.network}, 1×224×224, one thread, medians of ${options.rounds} alternating processes; ${machine}`,
  );
  const table = new Table({
    head: ['Node', '', 'ms', 'fastcam ÷ it', 'cold start, ms', 'fastcam ÷ it', 'peak, MB'],
    colAligns: ['left', 'left', ...new Array(5).fill('right')],
    style: { head: [], border: [] },
  });
  for (const { node, fastcam, peers } of results) {
    for (const { peer, medianMs, ratio, coldMs, coldRatio, peakMegabytes } of [fastcam, ...peers]) {
      table.push([
        node,
        peer,
        medianMs.toFixed(0),
        ratio?.toFixed(3) ?? '',
        coldMs?.toFixed(0) ?? '',
        coldRatio?.toFixed(3) ?? '',
        peakMegabytes?.toFixed(0) ?? '',
      ]);
    }
  }
  console.log(table.toString());
}
