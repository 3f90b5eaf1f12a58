/**
 * Weights in panels of four output channels, [K, 4]. The channels of a tap are together, in the order of a
 * gathered pixel. Weights are kept in any precision (../precision.ts) and widened panel by panel.
 */

import {
  encodingFactor,
  halfOf,
  largestOf,
  type Precision,
  roundToEven,
  valueOfHalf,
  WEIGHT_BYTES,
} from '../precision.js';
import { NR } from './gemm.js';

export interface Panels {
  readonly precision: Precision;
  readonly K: number;
  /** [panels, K, 4]: the weights (f32), the bits of halves (f16) or whole numbers (int8). */
  readonly values: Float32Array | Uint16Array | Int8Array;
  /** [panels, 4]: the factors for f16 and int8. */
  readonly scales: Float32Array;
}

/** Panels of zeros. */
export function allocatePanels(precision: Precision, count: number, K: number): Panels {
  const length = count * K * NR;
  const scales = new Float32Array(precision === 'f32' ? 0 : count * NR);
  if (precision === 'f16') return { precision, K, values: new Uint16Array(length), scales };
  if (precision === 'int8') return { precision, K, values: new Int8Array(length), scales };
  return { precision, K, values: new Float32Array(length), scales };
}

/** Bytes of `count` panels. */
export function panelsBytes(precision: Precision, count: number, K: number): number {
  return count * NR * (WEIGHT_BYTES[precision] * K + (precision === 'f32' ? 0 : 4));
}

/**
 * Packs rows of output channels as panel number `index`:
 * panel[tap·Cin + ic][j] = rows[j·K + ic·taps + tap] · scale[oc + j], zeros for j ≥ `columns`.
 *
 * @param rows [columns, K], K = Cin·taps
 */
export function packPanel(
  { precision, K, values, scales }: Panels,
  index: number,
  rows: Float32Array,
  columns: number,
  taps: number,
  scale: Float64Array | undefined,
  oc: number,
): void {
  for (let j = 0; j < columns; j++) {
    const row = rows.subarray(j * K, (j + 1) * K);
    const factor = scale === undefined ? 1 : scale[oc + j]!;
    const encoding = encodingFactor(precision, largestOf(row));
    if (precision !== 'f32') scales[index * NR + j] = factor / encoding;
    let o = index * K * NR + j;
    for (let tap = 0; tap < taps; tap++) {
      for (let i = tap; i < K; i += taps, o += NR) {
        if (precision === 'f32') values[o] = row[i]! * factor;
        else if (precision === 'f16') values[o] = halfOf(row[i]! * encoding);
        else values[o] = roundToEven(Math.fround(row[i]! * encoding));
      }
    }
  }
}

/** Widens panel number `index` to doubles, [K, 4], whose values are the float32 of the SIMD backend. */
export function widenPanel(out: Float64Array, panels: Panels, index: number): void {
  const { precision, K, values, scales } = panels;
  const begin = index * K * NR;
  if (precision === 'f32') widenFloats(out, values as Float32Array, begin, K * NR);
  else if (precision === 'f16') widenHalves(out, values as Uint16Array, begin, K, scales, index);
  else widenBytes(out, values as Int8Array, begin, K, scales, index);
}

/** Widens the first `count` panels, one after the other. */
export function widenPanels(out: Float64Array, panels: Panels, count: number): void {
  const length = panels.K * NR;
  for (let index = 0; index < count; index++) {
    widenPanel(out.subarray(index * length, (index + 1) * length), panels, index);
  }
}

/** Element `i` of panel `index`'s column `j`. */
export function panelValue(panels: Panels, index: number, i: number, j: number): number {
  const { precision, K, values, scales } = panels;
  const value = values[(index * K + i) * NR + j]!;
  if (precision === 'f32') return value;
  const scale = scales[index * NR + j]!;
  return Math.fround((precision === 'f16' ? valueOfHalf(value) : value) * scale);
}

function widenFloats(out: Float64Array, values: Float32Array, begin: number, length: number): void {
  for (let i = 0; i < length; i++) out[i] = values[begin + i]!;
}

function widenHalves(
  out: Float64Array,
  values: Uint16Array,
  begin: number,
  K: number,
  scales: Float32Array,
  index: number,
): void {
  for (let j = 0; j < NR; j++) {
    const scale = scales[index * NR + j]!;
    for (let i = j; i < K * NR; i += NR)
      out[i] = Math.fround(valueOfHalf(values[begin + i]!) * scale);
  }
}

function widenBytes(
  out: Float64Array,
  values: Int8Array,
  begin: number,
  K: number,
  scales: Float32Array,
  index: number,
): void {
  for (let j = 0; j < NR; j++) {
    const scale = scales[index * NR + j]!;
    for (let i = j; i < K * NR; i += NR) out[i] = Math.fround(values[begin + i]! * scale);
  }
}
