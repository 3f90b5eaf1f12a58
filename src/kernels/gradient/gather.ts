/**
 * The gradient of whatever copies elements by tables: slices, borders, nearest-neighbour resizing. Each element's
 * gradient is added where the element came from:
 *
 *   out[n, rows[oy], columns[ox], channels[oc]] += gradient[n, oy, ox, oc]
 */

import type { ActivationValues } from '../js/activation.js';
import type { GatherTables } from '../js/gather.js';

/**
 * @param out [N, H, W, C], overwritten
 * @param gradient [N, rows, columns, channels]
 */
export function scatter(
  out: ActivationValues,
  gradient: ActivationValues,
  N: number,
  { rows, columns, channels, H, W, C }: GatherTables,
): void {
  out.fill(0);
  let from = 0;
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < rows.length; oy++) {
      const iy = rows[oy]!;
      for (let ox = 0; ox < columns.length; ox++, from += channels.length) {
        const ix = columns[ox]!;
        if (iy < 0 || ix < 0) continue;
        const to = ((n * H + iy) * W + ix) * C;
        for (let oc = 0; oc < channels.length; oc++) {
          const ic = channels[oc]!;
          if (ic >= 0) out[to + ic]! += gradient[from + oc]!;
        }
      }
    }
  }
}
