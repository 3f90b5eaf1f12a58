// Compares fastcam with onnxruntime-web on ONNX files: the network with its saliency against the network alone, and the
// time from the bytes to the first result. Logits are compared before anything is timed. run.mjs calls it for --onnx.
import { basename } from 'node:path';
import Table from 'cli-table3';
import { inputOf } from './onnx-picture.mjs';

/** Relative to the largest logit. Sums in another order differ by about 1e-5 in float32; rounded integers of a peer by more. */
const TOLERANCE = 1e-3;
const RATIOS = ['ratio', 'coldRatio', 'processRatio'];

/**
 * @param run runs a program of this folder on the Node of the race, and returns its output
 * @returns for each file the medians of both, and fastcam's divided by the peer's
 */
export function raceFiles(files, { run, backend, rounds, runs, size }) {
  return files.map((file) => {
    const about = JSON.stringify(inputOf(run('race-ort-web.mjs', file, 'about'), size));
    const ours = [];
    const theirs = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(run('race-fastcam.mjs', file, about, backend, String(runs)));
      theirs.push(run('race-ort-web.mjs', file, about, String(runs)));
      if (round === 0) checkLogits(file, ours[0].logits, theirs[0].logits);
    }
    const [fastcam, peer] = [ours, theirs].map(mediansOf);
    const share = (key) => fastcam[key] / peer[key];
    return {
      file: basename(file),
      backend: ours[0].peer,
      scales: ours[0].scales,
      fastcam,
      peer,
      ratio: share('medianMs'),
      coldRatio: share('coldMs'),
      processRatio: share('processMs'),
    };
  });
}

/** @throws if the two differ. fastcam skips a softmax at the end of the file */
function checkLogits(file, ours, theirs) {
  const off = Math.min(distance(ours, theirs), distance(softmax(ours), theirs));
  if (off <= TOLERANCE) return;
  throw new Error(
    `${file}: logits of fastcam and of onnxruntime-web differ by ${off} of the largest`,
  );
}

function distance(got, expected) {
  if (got.length !== expected.length) return Number.POSITIVE_INFINITY;
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(value - got[i]))) / largest;
}

function softmax(logits) {
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

function mediansOf(lines) {
  const keys = Object.keys(lines[0]).filter((key) => /Ms$|Megabytes$/.test(key));
  return Object.fromEntries(
    keys.map((key) => {
      const sorted = lines.map((line) => line[key]).sort((a, b) => a - b);
      return [key, sorted[sorted.length >> 1]];
    }),
  );
}

export function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** One table for each Node. */
export function printFiles(results, title) {
  console.log(title);
  const table = new Table({
    head: [
      'Node',
      'file',
      'fastcam',
      'onnxruntime-web',
      'ratio',
      'bytes to first',
      'its',
      'ratio',
      'process',
      'its',
      'ratio',
      'MB',
      'its',
    ],
    colAligns: ['left', 'left', ...new Array(11).fill('right')],
    style: { head: [], border: [] },
  });
  const ms = (value) => value.toFixed(value < 10 ? 1 : 0);
  for (const { node, files } of results) {
    for (const { file, fastcam, peer, scales, ...shares } of files) {
      table.push([
        node,
        scales === 0 ? `${file} (no scales)` : file,
        ...[fastcam.medianMs, peer.medianMs].map(ms),
        shares.ratio.toFixed(3),
        ...[fastcam.coldMs, peer.coldMs].map(ms),
        shares.coldRatio.toFixed(3),
        ...[fastcam.processMs, peer.processMs].map(ms),
        shares.processRatio.toFixed(3),
        ...[fastcam.peakMegabytes, peer.peakMegabytes].map((value) => value.toFixed(0)),
      ]);
    }
    if (files.length < 2) continue;
    const [ratio, cold, whole] = RATIOS.map((key) =>
      geometricMean(files.map((each) => each[key])).toFixed(3),
    );
    table.push([node, 'geometric mean', '', '', ratio, '', '', cold, '', '', whole, '', '']);
  }
  console.log(table.toString());
}
