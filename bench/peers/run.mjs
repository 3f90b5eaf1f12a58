// Compares fastcam with its peers on Node 20 and 24, in alternating processes, and prints medians and ratios.
//
//   npm run bench:peers [-- --network resnet50] [--json] [--rounds 3] [--node 20,24] [--race js,simd,relaxed] [--threads 2]
//   npm run bench:peers -- --page [--network resnet50] [--threads 2] [--runs 9]
//   npm run bench:peers -- --onnx FILE [--onnx FILE …] [--size 224] [--runs 9] [--node 24] [--race relaxed]
//
// A network is one of the library's table (src/node/architectures.ts), with random weights. A race is one of our backends
// and its peers. Each peer checks its logits against fastcam's before it is timed; the tests check fastcam's own results.
// With several threads TensorFlow.js is left out, because it has one in Node. With --page all run in Chromium, where it has
// several: see page.mjs. With --onnx it times files, against onnxruntime-web: see onnx-race.mjs.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { printFiles, raceFiles } from './onnx-race.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Ours, the peers, and the runs in each process (a slow one needs few). */
const RACES = {
  js: { runs: 1, peers: [['tfjs.mjs', 'cpu']] },
  simd: { runs: 9, peers: [['tfjs.mjs', 'wasm'], ['ort-web.mjs']] },
  // Not on Node 20, which has no relaxed SIMD.
  relaxed: { runs: 9, peers: [['tfjs.mjs', 'wasm'], ['ort-web.mjs']] },
};

const { values: options } = parseArgs({
  options: {
    network: { type: 'string', default: 'resnet50' },
    onnx: { type: 'string', multiple: true },
    size: { type: 'string', default: '224' },
    runs: { type: 'string', default: '9' },
    json: { type: 'boolean', default: false },
    page: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '1' },
    node: { type: 'string' },
    race: { type: 'string' },
  },
});

if (!existsSync(`${here}node_modules`)) {
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: here,
    stdio: ['ignore', 2, 2],
  });
}

const machine = `${cpus()[0].model.trim()}, ${cpus().length} CPUs`;
if (options.onnx) raceOnnx();
else if (options.page) await raceInPage();
else raceNetwork();

function raceNetwork() {
  const { node: nodes = '20,24', race: races = Object.keys(RACES).join(',') } = options;
  const results = [];
  for (const node of nodes.split(',')) {
    for (const race of races.split(',')) {
      // Node 20 has relaxed SIMD behind a flag only.
      if (node !== '20' || race !== 'relaxed') results.push(runRace(node, race));
    }
  }
  if (options.json) console.log(JSON.stringify({ machine, results }, null, 2));
  else print(results);
}

async function raceInPage() {
  const { racePage } = await import('./page.mjs');
  const { network, threads, runs } = options;
  const asked = { architecture: network, threads: Number(threads), rounds: Number(runs) };
  const { version, racers } = await racePage(asked);
  console.log(
    `${network}, 1×224×224, medians of ${runs} runs in turns, Chromium ${version}; ${machine}`,
  );
  const [ours] = racers;
  const table = newTable(['', 'threads', 'ms', 'fastcam ÷ it'], 1);
  for (const { peer, threads, ms } of racers) {
    table.push([peer, threads, ms.toFixed(0), peer === ours.peer ? '' : (ours.ms / ms).toFixed(3)]);
  }
  console.log(table.toString());
}

function raceOnnx() {
  const { node: nodes = '24', race: backend = 'relaxed', rounds, runs, size } = options;
  // npm runs the script in the folder of the package; paths are those of the caller.
  const files = options.onnx.map((file) => resolve(process.env.INIT_CWD ?? '.', file));
  const results = nodes.split(',').map((node) => {
    const run = (program, ...args) => runOn(node, program, ...args);
    const numbers = { rounds: Number(rounds), runs: Number(runs), size: Number(size) };
    return { node: versionOf(node), files: raceFiles(files, { run, backend, ...numbers }) };
  });
  if (options.json) return console.log(JSON.stringify({ machine, results }, null, 2));
  const title = `fastcam ${backend} with saliency, and onnxruntime-web's network alone: ms, one thread, medians of ${rounds} alternating processes; ${machine}`;
  printFiles(results, title);
}

/** Runs a program of this folder on a Node of bench/peers. Returns the last line of its output. */
function runOn(node, program, ...args) {
  const call = [here + program, ...args];
  const { status, stdout, stderr } = spawnSync(binaryOf(node), call, {
    cwd: here,
    encoding: 'utf8',
  });
  if (status === 0) return JSON.parse(stdout.trim().split('\n').at(-1));
  console.error(`${program} ${args.join(' ')} failed:\n${stderr}`);
  process.exit(1);
}

function binaryOf(node) {
  return `${here}node_modules/node${node}/bin/node`;
}

function versionOf(node) {
  return execFileSync(binaryOf(node), ['--version'], { encoding: 'utf8' }).trim().slice(1);
}

/** One backend against its peers on one Node: ours, peer, ours, peer, … */
function runRace(node, race) {
  const { runs, peers: all } = RACES[race];
  const peers = all.filter(([program]) => options.threads === '1' || program === 'ort-web.mjs');
  const { network, threads } = options;
  const run = (program, ...args) => runOn(node, program, ...args, network, threads);
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
    node: versionOf(node),
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

function print(results) {
  console.log(
    `${options.network}, 1×224×224, threads: ${options.threads}, medians of ${options.rounds} alternating processes; ${machine}`,
  );
  const head = ['Node', '', 'ms', 'fastcam ÷ it', 'cold start, ms', 'fastcam ÷ it', 'peak, MB'];
  const table = newTable(head, 2);
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

/** @param words how many columns at the left are words */
function newTable(head, words) {
  return new Table({
    head,
    colAligns: head.map((_, i) => (i < words ? 'left' : 'right')),
    style: { head: [], border: [] },
  });
}
