/** The tables of `fastcam cost`: each runs a network many times. */

import { describe, expect, test } from 'vitest';
import { COMPARED_METHODS } from '../../src/methods/gradients/comparison.js';
import type { MethodsCost } from '../../src/node/index.js';
import { success, tableRows } from './terminal.js';

const SMALL = ['--arch', 'resnet18', '--size', '32', '--backend', 'js', '--rounds', '3'];

describe('fastcam cost', () => {
  test('the table has a row for each scale and part; no other network’s figures are the paper’s', async () => {
    const text = await success('cost', ...SMALL);
    expect(text).toMatch(/^resnet18 of noise at 32 × 32, backend js, medians of 3 passes; Node /);
    const rows = tableRows(text);
    expect(rows.map(([name]) => name)).toEqual([
      '',
      'network, without taps',
      'SMOE Scale, relu 16 × 16 × 64',
      'SMOE Scale, layer1 8 × 8 × 64',
      'SMOE Scale, layer2 4 × 4 × 128',
      'SMOE Scale, layer3 2 × 2 × 256',
      'SMOE Scale, layer4 1 × 1 × 512',
      'SMOE Scale',
      'normalize',
      'combine',
      'saliency in all',
    ]);
    expect(rows[2]![1]).toBe('65,792');
    expect(text).toMatch(/\nMemory of the maps: 2,388 bytes\n$/);
  });

  test('--methods: many passes cost their number of forward and backward passes, fifteen cost fifteen', async () => {
    const tiny = ['--arch', 'resnet18', '--size', '32', '--rounds', '1'];
    const printed = await success('cost', '--methods', ...tiny, '--backend', 'simd,simd', '--json');
    const lines = printed.trimEnd().split('\n');
    const costs: MethodsCost[] = lines.map((line) => JSON.parse(line));
    expect(costs.map(({ saliency }) => saliency.backend)).toEqual(['simd', 'simd']);
    for (const { backward, methods, saliency, saliencyShare, timesSaliency } of costs) {
      expect(backward.ratio).toBe(backward.ms / backward.forwardMs);
      expect(backward.bytes).toBeGreaterThan(4 * 32 * 32 * 3);
      expect(saliencyShare).toBeGreaterThan(0);
      expect(saliencyShare).toBeGreaterThanOrEqual(saliency.saliency.ms / saliency.network.ms);
      expect(timesSaliency.fifteen).toBe(15 * timesSaliency.one);
      const byName = new Map(methods.map((method) => [method.name, method]));
      expect(byName.get('gradient')).toMatchObject({ passes: 1, isTimed: true });
      for (const [name, passes] of [
        ['integrated-gradients', 20],
        ['gradient:vargrad', 15],
        ['integrated-gradients:smoothgrad-squared', 300],
      ] as const) {
        expect(byName.get(name)).toMatchObject({ passes, isTimed: false });
        expect(byName.get(name)!.ratio).toBe(passes * (1 + backward.ratio));
      }
    }
  });

  test('--methods prints each method, and the paper’s ranges beside the ratios measured', async () => {
    const few = ['--arch', 'resnet18', '--size', '32', '--backend', 'simd', '--rounds', '1'];
    const text = await success('cost', '--methods', ...few);
    const first = [...text.matchAll(/^│ (\S[^│]*?) +│/gm)].map(([, name]) => name!);
    const titles = COMPARED_METHODS.map(({ title }) => title).filter((t) => t !== 'FastCAM');
    expect(first.slice(1, 1 + titles.length).map((name) => name.replace(' *', ''))).toEqual(titles);
    expect(first.slice(1 + titles.length)).toEqual([
      ...['backward ÷ forward', 'saliency ÷ forward', 'gradient ÷ saliency'],
      '15 × gradient ÷ saliency',
    ]);
    expect(text).toMatch(/gradient ÷ saliency +│ +\d+ │ +97 to 344 │/);
    expect(text).toMatch(/\nMemory of the backward pass beside the weights: \d+\.\d MB\n$/);
  });
});
