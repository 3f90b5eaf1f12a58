/** The gradient of linear resizing: each pixel's gradient goes to the four pixels that it was made of, by its weights. */

import type { ActivationValues } from '../js/activation.js';
import type { AxisTaps } from '../js/resize.js';

/**
 * @param out [N, H, W, C], overwritten
 * @param gradient [N, Hout, Wout, C]
 */
export function resizeGradient(
  out: ActivationValues,
  gradient: ActivationValues,
  [N, H, W, C]: readonly [number, number, number, number],
  rows: AxisTaps,
  columns: AxisTaps,
): void {
  out.fill(0);
  let from = 0;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < rows.places.length; oy += 2) {
      for (let ox = 0; ox < columns.places.length; ox += 2, from += C) {
        for (let corner = 0; corner < 4; corner++) {
          const [y, x] = [oy + (corner >> 1), ox + (corner & 1)];
          const weight = rows.weights[y]! * columns.weights[x]!;
          const to = ((n * H + rows.places[y]!) * W + columns.places[x]!) * C;
          for (let c = 0; c < C; c++) out[to + c]! += weight * gradient[from + c]!;
        }
      }
    }
  }
}
