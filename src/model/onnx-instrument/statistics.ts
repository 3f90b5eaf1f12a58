/**
 * Statistics of columns in ONNX's operators: a value with its channels on one axis becomes a map [N, h, w]. The
 * formulas are those of kernels/statistics, where each file explains its own; here they are computed in float32.
 * ONNX cannot express those that need digamma or the tails of the normal distribution.
 */

import { ShapeError } from '../../errors.js';
import { SMOE_EPS, type Statistic } from '../../kernels/operators.js';
import type { NodeWriter } from './node-writer.js';

/** Writes a statistic of x ≥ 0, float32, with channels on `axis`. @returns its map [N, h, w] */
type Write = (writer: NodeWriter, x: string, axis: number) => string;

/** The smallest standard deviation that an entropy is computed from, as in kernels/statistics/normal.ts. */
const SMALLEST_SD = 1e-7;
/** ½ ln 2πe. */
const UNIT_NORMAL_ENTROPY = 0.5 * Math.log(2 * Math.PI * Math.E);
/** The logarithm of float32's largest number, rounded down. */
const LARGEST_EXPONENT = 88.72283;

const WRITERS: Readonly<Partial<Record<Statistic, Write>>> = {
  smoe: writeSmoe,
  sd: (writer, x, axis) => writeMeanAndSd(writer, x, axis).sd,
  mean: (writer, x, axis) => writer.reduce('ReduceMean', x, [axis], false),
  max: (writer, x, axis) => writer.reduce('ReduceMax', x, [axis], false),
  'shannon-entropy': writeShannonEntropy,
  'renyi-entropy': writeRenyiEntropy,
  'log-normal-mean': writeLogNormalMean,
  'log-normal-entropy': writeLogNormalEntropy,
  'normal-entropy': writeNormalEntropy,
};

/** The statistics that can be written into a file. */
export const ONNX_STATISTICS: readonly Statistic[] = Object.keys(WRITERS) as Statistic[];

/**
 * Writes a statistic of the columns of x.
 *
 * @param x ≥ 0, float32 of four axes
 * @param axis of channels: 1 or 3
 * @returns the name of the map, float32 [N, h, w]
 * @throws {ShapeError} for a statistic that ONNX's operators cannot express
 */
export function writeStatistic(
  writer: NodeWriter,
  x: string,
  axis: number,
  statistic: Statistic,
): string {
  const write = WRITERS[statistic];
  if (!write) {
    throw new ShapeError(
      `statistic: ${statistic} cannot be said in ONNX's operators, which can say ${ONNX_STATISTICS.join(', ')}`,
    );
  }
  return write(writer, x, axis);
}

/**
 * φ = μ·(ln mean q − mean ln q)/ln 2 ≥ 0, q = z/max z and μ = max z · mean q. For a constant column both logarithms
 * are exactly 0. Logarithms of z itself would have rounding errors, which the normalisation would enlarge to a map.
 */
function writeSmoe(w: NodeWriter, x: string, axis: number): string {
  const { q, max } = writeShares(w, x, axis);
  const mean = w.reduce('ReduceMean', q, [axis], true);
  const meanLog = w.reduce('ReduceMean', w.node('Log', [q]), [axis], true);
  const gap = w.node('Sub', [w.node('Log', [mean]), meanLog]);
  const bits = w.node('Mul', [w.node('Max', [gap, w.float(0)]), w.float(1 / Math.LN2)]);
  return w.squeeze(w.node('Mul', [w.node('Mul', [max, mean]), bits]), [axis]);
}

/**
 * Mean and standard deviation (C − 1), [N, h, w]. They are computed relative to the column's maximum, so that the
 * standard deviation of a constant column is exactly 0.
 */
function writeMeanAndSd(w: NodeWriter, x: string, axis: number): { mean: string; sd: string } {
  const max = w.reduce('ReduceMax', x, [axis], true);
  const below = w.node('Sub', [x, max]);
  const shift = w.reduce('ReduceMean', below, [axis], true);
  const deviation = w.node('Sub', [below, shift]);
  const squares = w.reduce('ReduceSum', w.node('Mul', [deviation, deviation]), [axis], false);
  const others = w.node('Sub', [writeExtent(w, x, [axis]), w.float(1)]);
  const variance = w.node('Div', [squares, w.node('Max', [others, w.float(1)])]);
  const mean = w.squeeze(w.node('Add', [max, shift]), [axis]);
  return { mean, sd: w.node('Sqrt', [variance]) };
}

/** (ln Σq − Σ q ln q / Σq)/ln 2, q = z/max z: without cancellation. */
function writeShannonEntropy(w: NodeWriter, x: string, axis: number): string {
  const { q } = writeShares(w, x, axis);
  const sum = w.reduce('ReduceSum', q, [axis], false);
  const logs = w.reduce('ReduceSum', w.node('Mul', [q, w.node('Log', [q])]), [axis], false);
  const nats = w.node('Sub', [w.node('Log', [sum]), w.node('Div', [logs, sum])]);
  return w.node('Mul', [nats, w.float(1 / Math.LN2)]);
}

/** (2 ln Σq − ln Σq²)/ln 2. */
function writeRenyiEntropy(w: NodeWriter, x: string, axis: number): string {
  const { q } = writeShares(w, x, axis);
  const log = w.node('Log', [w.reduce('ReduceSum', q, [axis], false)]);
  const squares = w.reduce('ReduceSum', w.node('Mul', [q, q]), [axis], false);
  const nats = w.node('Sub', [w.node('Add', [log, log]), w.node('Log', [squares])]);
  return w.node('Mul', [nats, w.float(1 / Math.LN2)]);
}

/** q = z / max z, and the maximum with the axis of channels kept. */
function writeShares(w: NodeWriter, x: string, axis: number): { q: string; max: string } {
  const z = w.node('Add', [x, w.float(SMOE_EPS)]);
  const max = w.reduce('ReduceMax', z, [axis], true);
  return { q: w.node('Div', [z, max]), max };
}

/** exp(m + v²/2), within float32. */
function writeLogNormalMean(w: NodeWriter, x: string, axis: number): string {
  const { mean, sd } = writeLogMeanAndSd(w, x, axis);
  const half = w.node('Mul', [w.node('Mul', [sd, sd]), w.float(0.5)]);
  const exponent = w.node('Min', [w.node('Add', [mean, half]), w.float(LARGEST_EXPONENT)]);
  return w.node('Exp', [exponent]);
}

/** m + ½ ln 2πe + ln v. */
function writeLogNormalEntropy(w: NodeWriter, x: string, axis: number): string {
  const { mean, sd } = writeLogMeanAndSd(w, x, axis);
  return w.node('Add', [mean, writeEntropyOfSd(w, sd)]);
}

function writeNormalEntropy(w: NodeWriter, x: string, axis: number): string {
  return writeEntropyOfSd(w, writeMeanAndSd(w, x, axis).sd);
}

function writeEntropyOfSd(w: NodeWriter, sd: string): string {
  const log = w.node('Log', [w.node('Max', [sd, w.float(SMALLEST_SD)])]);
  return w.node('Add', [log, w.float(UNIT_NORMAL_ENTROPY)]);
}

/** Mean and standard deviation of ln z. */
function writeLogMeanAndSd(w: NodeWriter, x: string, axis: number): { mean: string; sd: string } {
  return writeMeanAndSd(w, w.node('Log', [w.node('Add', [x, w.float(SMOE_EPS)])]), axis);
}

/** The product of the extents of some axes, a float32 scalar. */
export function writeExtent(w: NodeWriter, x: string, axes: readonly number[]): string {
  const extents = axes.map((axis) => w.node('Gather', [w.node('Shape', [x]), w.int(axis)]));
  return w.toFloat(extents.reduce((product, extent) => w.node('Mul', [product, extent])));
}
