/** Prints a calibration: its constants for each scale. */

import { STATISTIC_NAMES } from '../kernels/index.js';
import type { FittedCalibration } from '../node/index.js';
import { printable } from './streams.js';
import { makeTable } from './table.js';

/** Significant digits that are shown; the file has them all. */
const DIGITS = 4;

const HEAD = ['', 'mean', 'sd', 'Gamma from', 'shape', 'scale', 'least', 'greatest'];

/** Ends with a new line. */
export function formatCalibration(calibration: FittedCalibration, out: string): string {
  const { statistic, model, pictures, scales } = calibration;
  const table = makeTable(HEAD, 1);
  for (const { name, gaussian, gamma, range } of scales) {
    const { mean, sd } = gaussian;
    const { min, shape, scale } = gamma;
    const constants = [mean, sd, min, shape, scale, range.min, range.max];
    table.push([name, ...constants.map((value) => value.toPrecision(DIGITS))]);
  }
  return (
    `${STATISTIC_NAMES[statistic]} of ${pictures} picture${pictures === 1 ? '' : 's'}, ` +
    `${printable(model)} model\n${table.toString()}\nWritten: ${printable(out)}\n`
  );
}
