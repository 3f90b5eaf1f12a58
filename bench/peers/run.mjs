// Races fastcam against its peers, process by process, alternating, on Node 20 and 24, and prints medians and ratios.
//
//   npm run bench:peers [-- --json] [--rounds 3] [--node 20,24] [--race js]
//
// A race is a backend of ours and the peers it is measured against. Every process checks nothing but its clock: what
// they compute is checked by the tests.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Ours, the peers, and the runs in each process (a slow one needs few). */
const RACES = {
  js: { runs: 1, peers: [['tfjs.mjs', 'cpu']] },
};

const { values: options } = parseArgs({
  options: {
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
  for (const race of options.race.split(',')) results.push(runRace(node, race));
}
const machine = `${cpus()[0].model.trim()}, ${cpus().length} CPUs`;
if (options.json) {
  console.log(JSON.stringify({ machine, results }, null, 2));
} else {
  console.log(
    `ResNet-50, 1×224×224, one thread, medians of ${options.rounds} alternating processes; ${machine}\n`,
  );
  for (const { node, fastcam, saliencyPercent, peers } of results) {
    console.log(
      `Node ${node}: ${fastcam.peer} ${ms(fastcam.medianMs)} with saliency, which adds ${saliencyPercent.toFixed(2)} %`,
    );
    for (const { peer, medianMs, ratio } of peers)
      console.log(
        `  ${peer} ${ms(medianMs)}: fastcam takes ${ratio.toFixed(3)} of it, ${(1 / ratio).toFixed(2)}× faster`,
      );
  }
}

/** One backend against its peers on one Node: ours, peer, ours, peer, … */
function runRace(node, race) {
  const { runs, peers } = RACES[race];
  const binary = `${here}node_modules/node${node}/bin/node`;
  const run = (program, ...args) => {
    const stdio = ['ignore', 'pipe', 'ignore'];
    const printed = execFileSync(binary, [here + program, ...args], {
      cwd: here,
      encoding: 'utf8',
      stdio,
    });
    return JSON.parse(printed.trim().split('\n').at(-1));
  };
  const ours = [];
  const theirs = peers.map(() => []);
  for (let round = 0; round < Number(options.rounds); round++) {
    ours.push(run('fastcam.mjs', race, String(Math.max(runs, 3))));
    peers.forEach(([program, backend], i) => {
      theirs[i].push(run(program, backend, String(runs)));
    });
  }
  const fastcam = {
    peer: ours[0].peer,
    medianMs: median(ours.map(({ medianMs }) => medianMs)),
    bareMs: median(ours.map(({ bareMs }) => bareMs)),
    normalizeAndCombineMs: median(ours.map(({ normalizeAndCombineMs }) => normalizeAndCombineMs)),
  };
  return {
    node: execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim().slice(1),
    fastcam,
    // The least of many runs: what is left of noise would be larger than the share itself.
    saliencyPercent:
      100 *
      (Math.min(...ours.map(({ minMs }) => minMs)) /
        Math.min(...ours.map(({ bareMinMs }) => bareMinMs)) -
        1),
    peers: theirs.map((lines) => {
      const medianMs = median(lines.map((line) => line.medianMs));
      return { peer: lines[0].peer, medianMs, ratio: fastcam.medianMs / medianMs };
    }),
  };
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

function ms(value) {
  return `${value.toFixed(0)} ms`;
}
