/** What each network needs in memory: all of them are planned at several sizes. */

import { describe, expect, test } from 'vitest';
import { ARCHITECTURES } from '../../src/node/architectures.js';
import { type MemoryFit, openModel } from '../../src/node/index.js';
import { cellsOf, success } from './terminal.js';

describe('fastcam models --fit', () => {
  test('has what is really allocated, and says what fits', async () => {
    const fit: MemoryFit = JSON.parse(
      await success('models', '--fit', '10MB', '--backend', 'simd', '--json'),
    );
    expect(fit).toMatchObject({ budgetBytes: 1e7, backend: 'simd' });
    const [tiny] = fit.networks;
    const { net } = await openModel({ backend: 'simd', precision: 'f32' });
    expect(tiny).toMatchObject({ network: 'bundled', precision: 'f32', largest: 192 });
    for (const { size, weightBytes, arenaBytes, scratchBytes, totalBytes, fits } of tiny!.inputs) {
      expect(weightBytes).toBe(net.weightBytes);
      expect(arenaBytes + scratchBytes).toBe(net.forward(1, size, size).bytes);
      expect(fits).toBe(totalBytes <= 1e7);
    }
    expect(fit.networks).toHaveLength(3 * (1 + Object.keys(ARCHITECTURES).length));
  });

  test('puts in brackets what does not fit', async () => {
    const text = await success('models', '--fit', '128MB');
    expect(cellsOf(text, 'resnet18', 'f32').slice(3, 6).join()).not.toContain('(');
    expect(cellsOf(text, 'resnet152', 'f32')[4]).toMatch(/^\(2\d\d\.\d\)$/);
    expect(cellsOf(text, 'resnet152', 'f32').at(-1)).toBe('none');
    expect(text).toContain('In brackets: more than 128.0 MB.');
  });
});
