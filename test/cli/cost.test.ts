import { describe, expect, test } from 'vitest';
import { PAPER_TABLE_6 } from '../../src/cost.js';
import type { CostOfPart, SaliencyCost } from '../../src/node/index.js';
import { failure, success } from './terminal.js';

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
