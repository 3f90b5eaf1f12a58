/** A picture of 2048×2048, divided and whole: the same bits in every map. */

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Picture } from '../../src/index.js';
import { loadNetwork } from '../../src/index.js';
import { explainTiled } from '../../src/tiles/index.js';
import { BACKENDS } from '../kernels/backends.js';

const SIDE = 2048;
const tiny = readFileSync(new URL('../../models/tiny-resnet50.safetensors', import.meta.url));

function noise(): Picture {
  const data = Uint8Array.from({ length: 4 * SIDE * SIDE }, (_, i) => {
    const [x, y] = [(i >> 2) % SIDE, (i >> 2) >> 11];
    const block = Math.imul((x >> 6) + 37 * (y >> 6) + 7 * (i & 3), 2654435761) >>> 25;
    return i % 4 === 3 ? 255 : 64 + block + ((Math.imul(i, 2246822519) >>> 28) & 15);
  });
  return { data, width: SIDE, height: SIDE };
}

const fast = BACKENDS.filter(({ name }) => name !== 'js');
const cases = fast.flatMap(({ name, make }) =>
  [1024, 512].map((tile) => [tile, name, make] as const),
);

it.each(cases)(
  '2048×2048 in strips of %i² pixels has the maps of the whole picture, bit for bit, on %s',
  async (tile, _, make) => {
    const net = await loadNetwork(tiny, { kernels: await make() });
    const picture = noise();
    const whole = net.explain(picture, { size: SIDE });
    const bytes = Buffer.from(picture.data.buffer);
    const reader = {
      width: SIDE,
      height: SIDE,
      read: (top: number, rows: number) => ({
        data: bytes.subarray(4 * top * SIDE, 4 * (top + rows) * SIDE),
        width: SIDE,
        height: rows,
      }),
    };
    const { explanation, tiling } = await explainTiled(net, reader, { tile });
    expect(tiling.strips).toBe(SIDE / Math.max(128, tile ** 2 / SIDE));
    const pairs = [
      [explanation.logits, whole.logits],
      ...whole.rawMaps.map((map, i) => [explanation.rawMaps[i]!.data, map.data] as const),
      ...whole.scaleMaps.map((map, i) => [explanation.scaleMaps[i]!.data, map.data] as const),
      [explanation.combinedMap.data, whole.combinedMap.data],
      [explanation.fastcamMap.data, whole.fastcamMap.data],
      [explanation.lovi().data, whole.lovi().data],
    ] as const;
    for (const [got, expected] of pairs) {
      const [a, b] = [got, expected].map(({ buffer, byteOffset, byteLength }) =>
        Buffer.from(buffer, byteOffset, byteLength),
      );
      expect(a!.equals(b!)).toBe(true);
    }
  },
  120_000,
);
