import { describe, expect, test } from 'vitest';
import { PAPER_TABLE_6 } from '../../src/cost.js';
import { COMPARED_METHODS } from '../../src/methods/gradients/comparison.js';
import type { CostOfPart, MethodsCost, SaliencyCost } from '../../src/node/index.js';
import { failure, success, tableRows } from './terminal.js';

const SMALL = ['--arch', 'resnet18', '--size', '32', '--backend', 'js', '--rounds', '3'];

const ops = (parts: readonly CostOfPart[]): number[] => parts.map((part) => part.ops);

describe('fastcam cost', () => {
  test('of a ResNet-50 at 224 × 224 the counts are the paper’s Table 6, digit for digit', async () => {
    const printed = await success('cost', '--backend', 'simd', '--rounds', '1', '--json');
    const cost: SaliencyCost = JSON.parse(printed);
    expect(cost).toMatchObject({ model: 'resnet50 of noise', size: 224, backend: 'simd' });
    expect(ops(cost.smoe)).toEqual([3_223_808, 3_214_400, 1_606_416, 803_012, 401_457]);
    expect(ops(cost.smoe).reduce((sum, n) => sum + n)).toBe(PAPER_TABLE_6.smoe);
    expect(cost.normalize.ops).toBe(200_508);
    expect(cost.combine.ops).toBe(1_580_544);
    expect(cost.saliency.ops).toBe(9_249_093 + 200_508 + 1_580_544);
    expect(cost.mapBytes).toBe(117_012);
    expect(cost.network.macs).toBe(4_089_184_256);
  });

  test('--json: times add up, and those of the network and the maps are above 0', async () => {
    const cost: SaliencyCost = JSON.parse(await success('cost', ...SMALL, '--json'));
    const parts = [...cost.smoe, cost.normalize, cost.combine];
    expect(cost.saliency.ms).toBeCloseTo(
      parts.reduce((sum, { ms }) => sum + ms, 0),
      9,
    );
    for (const { ms } of [cost.network, cost.normalize, cost.combine]) {
      expect(ms).toBeGreaterThan(0);
    }
    expect(cost).toMatchObject({ rounds: 3, size: 32, model: 'resnet18 of noise' });
  });

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

  test.each([
    ['photo.png'],
    ['--backend', 'js,cuda'],
    ['--arch', 'vgg12'],
    ['--size', '0'],
    ['--rounds', 'many'],
    ['--model', 'bundled'],
  ])('cost %s %s: one line that points to the help, exit code 2', async (...argv) => {
    const words = argv.filter((word) => word !== undefined);
    expect(await failure(2, 'cost', ...words)).toContain('; see fastcam cost --help');
  });
});
