// Measures the waiting time of a user, from picture files to written pictures: whole processes of the command line, relative to
// a bare start (`fastcam models`), and their memory.
//
//   npm run bench:files [-- --rounds 5] [--json] [--inputs FOLDER]
//
// Each process runs right after a bare start, and its ratio is to this start; with sharp and without. A process only counts if all
// files that its reports name are there. The pictures are made first, which takes minutes. With --inputs they are kept in FOLDER
// and used again.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { median } from '../../dist/node/stopwatch.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = resolve(here, '../..');
const linked = join(here, 'node_modules/fastcam');

/** How the command is started. With sharp, it is started through a link beside sharp. */
const COMMANDS = {
  own: { call: [join(root, 'dist/cli/main.js')], env: { FASTCAM_SHARP: '0' } },
  sharp: {
    call: [
      ...['--preserve-symlinks', '--preserve-symlinks-main'],
      join(linked, 'dist/cli/main.js'),
    ],
    env: {},
  },
};

/** The cases: what is explained, how often, and the conditions that must hold. */
const CASES = [
  {
    ...{ what: 'one JPEG of 12 megapixels', input: 'photo.jpg', pictures: 1, rounds: 5 },
    needed: { own: { ratio: 7 }, sharp: { ratio: 4 } },
  },
  {
    ...{ what: 'twenty JPEGs of 1024×768', input: 'twenty', pictures: 20, rounds: 5 },
    needed: { own: { ratio: 20 }, sharp: {} },
  },
  {
    ...{ what: 'one JPEG of 75 megapixels', input: 'large.jpg', pictures: 1, rounds: 3 },
    needed: { own: { seconds: 14.6, peakMegabytes: 1200 }, sharp: {} },
  },
  {
    ...{ what: '1,000 JPEGs of 256×192', input: 'thousand', pictures: 1000, rounds: 1 },
    needed: { own: { growth: 1.1 } },
  },
];

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    inputs: { type: 'string' },
  },
});

const temporary = mkdtempSync(join(tmpdir(), 'fastcam-files-'));
try {
  installSharp();
  const inputs = makeInputs();
  const results = CASES.flatMap((one) => measure(one, inputs));
  const machine = `Node ${process.versions.node}, ${cpus()[0].model.trim()}, ${cpus().length} CPUs`;
  if (options.json) console.log(JSON.stringify({ machine, results }, null, 2));
  else print(results, machine);
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

function installSharp() {
  if (!existsSync(join(here, 'node_modules/sharp'))) {
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: here,
      stdio: ['ignore', 2, 2],
    });
  }
  if (!existsSync(linked)) symlinkSync(root, linked, 'junction');
}

/** @returns their folder */
function makeInputs() {
  // npm runs the script in the folder of the package; paths are those of the caller.
  const folder =
    options.inputs === undefined
      ? join(temporary, 'inputs')
      : resolve(process.env.INIT_CWD ?? '.', options.inputs);
  if (!existsSync(folder)) {
    // An interrupted run must not leave an incomplete folder.
    const part = `${folder}.part`;
    rmSync(part, { recursive: true, force: true });
    mkdirSync(part, { recursive: true });
    run([join(here, 'inputs.mjs'), part]);
    renameSync(part, folder);
  }
  return folder;
}

/** One case without sharp and with it. */
function measure({ what, input, pictures, rounds, needed }, inputs) {
  const samples = Object.keys(needed).map(() => []);
  for (let round = 0; round < Math.min(rounds, Number(options.rounds)); round++) {
    for (const [i, kind] of Object.keys(needed).entries()) {
      const { call, env } = COMMANDS[kind];
      const bare = run([...call, 'models'], env).seconds;
      const sample = explain(kind, join(inputs, input), pictures);
      samples[i].push({ ...sample, bareSeconds: bare, ratio: sample.seconds / bare });
    }
  }
  return Object.entries(needed).map(([kind, limits], i) => {
    const keys = Object.keys(samples[i][0]);
    const medians = keys.map((key) => [key, median(samples[i].map((sample) => sample[key]))]);
    return { what, sharp: kind === 'sharp', ...Object.fromEntries(medians), needed: limits };
  });
}

/** Starts the command, and checks its output. */
function explain(kind, input, pictures) {
  const { call, env } = COMMANDS[kind];
  const out = join(temporary, 'out');
  const taken = join(temporary, 'taken.json');
  const hook = pathToFileURL(join(here, 'taken.mjs')).href;
  const flags = ['explain', input, '--out', out, '--json'];
  const { seconds } = run(['--import', hook, ...call, ...flags], {
    ...env,
    FASTCAM_BENCH_TAKEN: taken,
  });
  const folders = readdirSync(out).map((name) => join(out, name));
  if (folders.length !== pictures) throw new Error(`${input}: ${folders.length} results`);
  for (const folder of folders) {
    const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'));
    const { files, input: read } = report;
    if ((read.decoder === 'sharp') !== (kind === 'sharp')) throw new Error(`by ${read.decoder}`);
    for (const file of files) if (statSync(file).size === 0) throw new Error(`${file} is empty`);
  }
  rmSync(out, { recursive: true });
  const { peak, atReports, cpuSeconds } = JSON.parse(readFileSync(taken, 'utf8'));
  return {
    seconds,
    cpuSeconds,
    peakMegabytes: peak / 1e6,
    ...(pictures >= 1000 && growthOf(atReports)),
  };
}

/** Memory after 100 and after 1,000 pictures. Each is a median of twenty, because garbage makes it go up and down. */
function growthOf(atReports) {
  const [after100, after1000] = [100, 1000].map((n) => median(atReports.slice(n - 20, n)) / 1e6);
  return { after100, after1000, growth: after1000 / after100 };
}

function run(args, env = {}) {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`${args.join(' ')} failed:\n${stderr}`);
  return { stdout, seconds: (performance.now() - start) / 1000 };
}

function print(results, machine) {
  console.log(`Whole processes, medians of up to ${options.rounds} rounds; ${machine}`);
  const table = new Table({
    head: ['', 'read by', 's', 'CPU, s', 'bare start, s', '÷ bare start', 'peak, MB', 'needed'],
    colAligns: ['left', 'left', ...new Array(5).fill('right'), 'left'],
    style: { head: [], border: [] },
  });
  for (const result of results) {
    const { what, sharp, seconds, cpuSeconds, bareSeconds, ratio, peakMegabytes, needed } = result;
    const limits = [
      needed.ratio && `≤ ${needed.ratio}`,
      needed.seconds && `≤ ${needed.seconds} s`,
      needed.peakMegabytes && `≤ ${needed.peakMegabytes} MB`,
    ];
    table.push([
      what,
      sharp ? 'sharp' : 'fastcam',
      seconds.toFixed(2),
      cpuSeconds.toFixed(2),
      bareSeconds.toFixed(2),
      ratio.toFixed(1),
      peakMegabytes.toFixed(0),
      limits.filter(Boolean).join(', '),
    ]);
  }
  console.log(table.toString());
  for (const { what, after100, after1000, growth, needed } of results) {
    if (growth === undefined) continue;
    const told = `${after100.toFixed(0)} MB after 100, ${after1000.toFixed(0)} MB after 1,000`;
    console.log(
      `${what}: ${told}, ${growth.toFixed(2)} times as much (needed: ≤ ${needed.growth})`,
    );
  }
}
