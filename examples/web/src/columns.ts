/** The activations where scales end, in the worker: one more pass, which keeps them. */

import type { Network } from 'fastcam';
import { plan } from 'fastcam/model';
import type { NetworkPixels } from './methods.ts';
import type { ScaleColumns } from './network.ts';

/** All columns of every scale, for what the network sees. */
export function columnsOf(net: Network, { pixels, height, width }: NetworkPixels): ScaleColumns[] {
  const { graph, ends } = net.preparedAt(height, width);
  const kept = plan({ graph, ends, kept: ends }, [1, height, width]);
  const pass = net.pass(`columns ${height} ${width}`, () => ({ plan: kept }));
  pass.input.set(pixels);
  pass.run();
  return kept.kept.map(({ buffer, shape: { H, W, C } }) => ({
    data: pass.buffer(buffer).slice(),
    shape: [H, W, C],
  }));
}
