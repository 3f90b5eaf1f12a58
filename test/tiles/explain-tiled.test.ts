/** The maps of a picture that was divided are those of the whole picture, bit for bit. */

import { describe, expect, it } from 'vitest';
import { networkOf } from '../../src/explain.js';
import { loadNetwork, wasmKernels } from '../../src/index.js';
import { loadNetwork as loadOnnx } from '../../src/onnx.js';
import { explainTiled, type TiledState } from '../../src/tiles/index.js';
import { loadOracle } from '../goldens.js';
import { onnxFile } from '../model/onnx/files.js';
import { MOBILE, picture, readerOf, tiledTests, tiny } from './tiled-tests.js';

// The other backends are in explain-tiled.slow.ts and large-picture.slow.ts.
describe('explainTiled on simd', () => tiledTests(() => wasmKernels('simd')));

describe('explainTiled', async () => {
  const kernels = await wasmKernels('simd');

  it('has maps of LOVI, row by row', async () => {
    const net = await loadNetwork(tiny, { kernels });
    const image = picture(64, 300);
    const { explanation, maps } = await explainTiled(net, readerOf(image), { tile: 32 });
    const lovi = explanation.lovi();
    const rgb = new Float64Array(3 * 64);
    maps.writeLovi(rgb, 77);
    const bytes = Uint8ClampedArray.from(rgb, (value) => 255 * value);
    expect([...bytes]).toEqual(
      [...lovi.data.subarray(4 * 64 * 77, 4 * 64 * 78)].filter((_, i) => i % 4 < 3),
    );
  });

  it('refuses a network that reads the whole picture, and names the layer', async () => {
    const net = networkOf(loadOracle('resnet-d').weights, { kernels });
    await expect(explainTiled(net, readerOf(picture(64, 64)))).rejects.toThrow(
      /^tile: the network cannot be divided: layer1\.0\.se.* \(mul\) uses a mean of the whole picture, as squeeze-and-excitation does: explain the picture as a whole, at a smaller size$/,
    );
  });

  it('refuses the state of another run, rows of another size, and to share the network meanwhile', async () => {
    const net = await loadNetwork(tiny, { kernels });
    const reader = readerOf(picture(64, 500));
    let state: TiledState | undefined;
    await explainTiled(net, reader, {
      tile: 32,
      onStrip: (_, make) => {
        state ??= make();
      },
    });
    const other = explainTiled(net, readerOf(picture(96, 500)), { tile: 32, resume: state! });
    await expect(other).rejects.toThrow('resume has the state of another picture');
    const short = { ...reader, read: (top: number) => reader.read(top, 1) };
    await expect(explainTiled(net, short, { tile: 32 })).rejects.toThrow(
      'explainTiled: reader expected to give 64×128, got 64×1',
    );
    const mobile = await loadOnnx(onnxFile(MOBILE), { kernels });
    const options = { taps: ['relu8'], tile: 8 };
    const shared = explainTiled(mobile, readerOf(picture(64, 800)), {
      ...options,
      onStrip: (done) => {
        if (done > 0.8) mobile.explain(picture(32, 32), { ...options, size: 32 });
      },
    });
    await expect(shared).rejects.toThrow('the network was used for another picture meanwhile');
  });

  it('stops between two strips', async () => {
    const net = await loadNetwork(tiny, { kernels });
    const stop = new AbortController();
    const run = explainTiled(net, readerOf(picture(64, 500)), {
      tile: 32,
      signal: stop.signal,
      onStrip: () => stop.abort(new Error('enough')),
    });
    await expect(run).rejects.toThrow('enough');
  });
});
