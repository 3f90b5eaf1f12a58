/**
 * Runs instrumented files in onnxruntime-node and onnxruntime-web. Compares
 *
 *   the maps with those that PyTorch computed in float64;
 *   the outputs of files that were raised to opset 11 with those of the original file.
 *
 * ONNX's own checker checks every file.
 *
 *   npm run test:instrument
 *
 * The build must be there, and Debian's python3-onnx. Cases are those of test/onnx/instrument.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const FILES = fileURLToPath(new URL('../onnx/instrument/', import.meta.url));

if (!existsSync(`${HERE}node_modules`)) {
  const install = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  execFileSync('npm', install, { cwd: HERE, stdio: ['ignore', 2, 2] });
}
const { instrumentedModel, ONNX_STATISTICS } = await import(
  '../../dist/model/onnx-instrument/index.js'
);
const { parseSafetensors } = await import('../../dist/model/index.js');
const { default: node } = await import('onnxruntime-node');
const web = await import('onnxruntime-web');
web.env.wasm.numThreads = 1;

const cases = Object.entries(JSON.parse(readFileSync(`${FILES}cases.json`, 'utf8')));
const expected = parseSafetensors(readFileSync(`${FILES}expected.safetensors`), 'expected');

/** Debian's Python, which has Debian's packages. */
const PYTHON = process.env['PYTHON'] ?? '/usr/bin/python3';

/**
 * The largest allowed errors: of maps in [0, 1], and of a file of halves, where the runtime rounds each activation. The
 * errors of the formulas alone are about 1e-6.
 */
const MOST = { map: 2e-5, half: 2e-3 };

/** onnxruntime-node 1.30 takes halves as Uint16Array, but not if the engine has Float16Array. */
const NODE_TAKES_HALVES = typeof Float16Array === 'undefined';

const folder = mkdtempSync(join(tmpdir(), 'fastcam-instrument-'));
const worst = new Map();
try {
  for (const [name, { target, statistics, like }] of cases) {
    const source = readFileSync(`${FILES}${name}.onnx`);
    const model = instrumentedModel(source, target);
    writeFileSync(join(folder, `${name}.onnx`), model.bytes);
    for (const [engine, ort] of Object.entries({ node, web })) {
      const run = { name, engine, ort, source, target, model, like };
      if (like) await compareExternal(run);
      else if (name.startsWith('rewrites')) await compareRaised(run);
      else if (name !== 'half' || engine === 'web' || NODE_TAKES_HALVES) await compareMaps(run);
      if (statistics) await compareStatistics(run);
    }
  }
  const checker = fileURLToPath(new URL('check.py', import.meta.url));
  execFileSync(PYTHON, [checker, folder], { stdio: 'inherit' });
} finally {
  rmSync(folder, { recursive: true });
}
for (const [what, error] of worst) console.log(`${what}: largest error ${error.toExponential(1)}`);

/** Maps of the top class by every method, and of the second class through the input that chooses the class. */
async function compareMaps({ name, engine, ort, source, target, model }) {
  const outputs = await feed(ort, model.bytes, target, name);
  const most = name === 'half' ? MOST.half : MOST.map;
  const compare = (key, value) => hold(`${name} in ${engine}`, key, value, most);
  const { saliency, scales, cam, fastcam } = model.outputs;
  compare('saliency', outputs[saliency]);
  for (const [i, scale] of scales.entries()) compare(`scale.${i}`, outputs[scale]);
  if (!target.size) {
    const sized = instrumentedModel(source, target, { size: [33, 24] });
    const { dims } = (await feed(ort, sized.bytes, target, name))[sized.outputs.fastcam];
    if (`${dims}` !== '2,33,24') fail(`${name} in ${engine}: asked for 33×24, got ${dims}`);
  }
  if (!target.head) return;
  const product = outputs[saliency].data.map((value, i) => value * outputs[cam].data[i]);
  if (difference(product, outputs[fastcam].data) > 1e-7) fail(`${name} in ${engine}: fastcam`);
  for (const method of ['gradcam++', 'gradcam', 'xgradcam', 'layercam', 'hirescam']) {
    if (!expected.tensors.has(`${name}.cam.${method}`)) continue;
    const other = instrumentedModel(source, target, { cam: method });
    const maps = await feed(ort, other.bytes, target, name);
    compare(`cam.${method}`, maps[other.outputs.cam]);
  }
  const chosen = instrumentedModel(source, target, { classInput: true });
  const next = topClasses(name).map((index) => BigInt((index + 1) % 5));
  const classes = new ort.Tensor('int64', BigInt64Array.from(next), [next.length]);
  const maps = await feed(ort, chosen.bytes, target, name, { [chosen.classInput]: classes });
  compare('next', maps[chosen.outputs.cam]);
}

async function compareStatistics({ name, engine, ort, source, target }) {
  for (const statistic of ONNX_STATISTICS.filter((s) => s !== 'smoe')) {
    const { bytes, outputs } = instrumentedModel(source, target, { statistic, cam: 'none' });
    const maps = await feed(ort, bytes, target, name);
    hold(`${name} in ${engine}`, `saliency.${statistic}`, maps[outputs.saliency], MOST.map);
  }
}

/** Every output of the original file is the same, bit by bit. */
async function compareRaised({ name, engine, ort, source, target, model }) {
  const x = Float32Array.from({ length: 3 * 12 * 16 }, (_, i) => 2 * Math.sin(1.7 * i));
  const feeds = { [target.input]: new ort.Tensor('float32', x, [1, 3, 12, 16]) };
  const before = await run(ort, source, feeds);
  const after = await run(ort, model.bytes, feeds);
  for (const [output, { data, dims }] of Object.entries(before)) {
    const raised = after[output];
    const isSame = `${raised.dims}` === `${dims}` && data.every((v, i) => v === raised.data[i]);
    if (!isSame) fail(`${name} in ${engine}: ${output} is another in opset 11`);
  }
}

/** A file with its weights in another file: onnxruntime-node finds them, onnxruntime-web gets them as an argument. */
async function compareExternal({ name, engine, ort, target, model, like }) {
  if (`${model.externalFiles}` !== 'external.bin') fail(`${name}: ${model.externalFiles}`);
  const weights = readFileSync(`${FILES}external.bin`);
  writeFileSync(join(folder, 'external.bin'), weights);
  const file = engine === 'node' ? join(folder, `${name}.onnx`) : model.bytes;
  const more = engine === 'node' ? {} : { externalData: [{ path: 'external.bin', data: weights }] };
  const { shape, data } = tensor(`${like}.input`);
  const feeds = { [target.input]: new ort.Tensor('float32', data, shape) };
  const { saliency } = await run(ort, file, feeds, more);
  hold(`${name} in ${engine}`, 'saliency', saliency, MOST.map, like);
}

/** The outputs of a file for the case's input. */
function feed(ort, file, target, name, more = {}) {
  const { shape, data } = tensor(`${name}.input`);
  const x = name === 'half' ? halves(ort, data, shape) : new ort.Tensor('float32', data, shape);
  return run(ort, file, { [target.input]: x, ...more });
}

async function run(ort, file, feeds, options = {}) {
  const session = await ort.InferenceSession.create(file, { logSeverityLevel: 3, ...options });
  const outputs = await session.run(feeds);
  await session.release();
  return outputs;
}

/** Every value of that case's input is exact as a half. */
function halves(ort, data, shape) {
  if (typeof Float16Array !== 'undefined') {
    return new ort.Tensor('float16', Float16Array.from(data), shape);
  }
  const bits = new Uint32Array(data.buffer);
  const half = (b) =>
    b << 1 === 0
      ? 0
      : ((b >> 16) & 0x8000) | ((((b >> 23) & 255) - 112) << 10) | ((b >> 13) & 1023);
  return new ort.Tensor('float16', Uint16Array.from(bits, half), shape);
}

function topClasses(name) {
  const { shape, data } = tensor(`${name}.logits`);
  return Array.from({ length: shape[0] }, (_, n) => {
    const logits = data.subarray(n * shape[1], (n + 1) * shape[1]);
    return logits.indexOf(Math.max(...logits));
  });
}

function tensor(key) {
  return { shape: expected.tensors.get(key).shape, data: expected.read(key) };
}

function hold(where, key, { dims, data }, most, name = where.split(' ')[0]) {
  const { shape, data: golden } = tensor(`${name}.${key}`);
  if (`${dims}` !== `${shape}`) fail(`${where}: ${key} has the shape ${dims}, expected ${shape}`);
  const error = difference(data, golden);
  if (!(error <= most)) fail(`${where}: ${key} is off by ${error}, at most ${most} allowed`);
  worst.set(where, Math.max(worst.get(where) ?? 0, error));
}

function difference(a, b) {
  let largest = 0;
  for (let i = 0; i < b.length; i++) {
    const error = Math.abs(a[i] - b[i]);
    if (!(error <= largest)) largest = error;
  }
  return largest;
}

function fail(what) {
  console.error(`FAILED ${what}`);
  process.exitCode = 1;
}
