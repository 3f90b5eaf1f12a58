// Compares what make.py expects with what onnxruntime-web computes: node test/onnx/crosscheck.mjs peers.json [NAME PART]
// Needs the packages of bench/peers. Prints each case that differs by more than rounding, or that it does not run.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const peers = process.env.PEERS ?? new URL('../../bench/peers/', import.meta.url).pathname;
const found = createRequire(`${peers}package.json`).resolve('onnxruntime-web/wasm');
const ort = await import(pathToFileURL(found.replace(/\.js$/, '.mjs')));
ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'fatal';
const quiet = { logSeverityLevel: 4 };

const ELEMENTS = { float32: Float32Array, uint8: Uint8Array, float16: Float16Array };
/** What a runtime makes of integers that it rounds lies this far from the real numbers. */
const QUANTISED = 0.03;

const cases = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const counts = { equal: 0, refused: 0, runs: 0, left: 0 };
for (const entry of cases.filter(({ name }) => name.includes(process.argv[3] ?? ''))) {
  let got;
  if (entry.peer === 'differs') {
    counts.left++;
    continue;
  }
  try {
    got = await run(entry);
  } catch (error) {
    if (entry.refused) counts.refused++;
    else console.log(`${entry.name}: not run: ${String(error.message ?? error).slice(0, 300)}`);
    continue;
  }
  if (entry.refused) {
    counts.runs++;
    continue;
  }
  const { rounding } = entry;
  let expected = floats(entry.expected);
  if (entry.softmax) [expected, got] = [expected, got].map(fromFirst);
  const largest = Math.max(...floats(entry.expected).map(Math.abs));
  const off = Math.max(...expected.map((value, i) => Math.abs(value - got[i]))) / largest;
  const bound = entry.peer === 'quantised' ? QUANTISED : Math.max(16 * rounding, 4e-6);
  const half = entry.name.includes('output of float16');
  if (got.length === expected.length && off <= (half ? 2e-3 : bound)) counts.equal++;
  else console.log(`${entry.name}: ${got.length} of ${expected.length} values, off by ${off}`);
}
console.log(counts);
process.exit(0);

async function run({ file, shape, layout, pixels, output, maps, softmax }) {
  const session = await ort.InferenceSession.create(Buffer.from(file, 'base64'), quiet);
  try {
    const element = session.inputMetadata[0].type;
    const data = ELEMENTS[element].from(picture(shape, layout, pixels));
    const feeds = { [session.inputNames[0]]: new ort.Tensor(element, data, shape) };
    const results = await session.run(feeds);
    const values = [...results[maps ?? output ?? session.outputNames[0]].data];
    if (!softmax) return values;
    return softmax === 'Softmax' ? values.map(Math.log) : values;
  } finally {
    await session.release();
  }
}

function floats(text) {
  const { buffer, byteOffset, length } = Buffer.from(text, 'base64');
  return [...new Float32Array(buffer.slice(byteOffset, byteOffset + length))];
}

/** A softmax knows logits up to a summand. */
function fromFirst(logits) {
  return logits.map((logit) => logit - logits[0]);
}

/** See hashImage of ../hash-weights.ts. */
function picture(shape, layout, pixels) {
  const length = shape.reduce((product, size) => product * size, 1);
  const planes = new Float32Array(length);
  const salt = Math.imul(10001, 0x85ebca6b);
  for (let i = 0; i < length; i++) {
    let h = Math.imul(i + 1, 0x9e3779b1) ^ salt;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    planes[i] = 4 * (((h ^ (h >>> 16)) >>> 0) / 2 ** 32) - 2;
  }
  const values = pixels === 'byte' ? planes.map((v) => Math.floor((v + 2) * 64)) : planes;
  if (layout !== 'NHWC') return values;
  const C = shape[3];
  return values.map((_, i) => values[(i % C) * (length / C) + Math.floor(i / C)]);
}
