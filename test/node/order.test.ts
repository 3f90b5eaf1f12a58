import { expect, test } from 'vitest';
import { kendallTau, sameMaximum, spearmanRho, topOverlap } from '../../src/evaluate/map-order.js';
import { STATISTICS, type Statistic } from '../../src/kernels/index.js';
import { openModel, orderFile, readPicture } from '../../src/node/index.js';

const CAT = 'samples/chelsea.png';
const model = await openModel({ backend: 'js' });
const report = await orderFile(CAT, { model, size: 64 });

test('every statistic but SMOE Scale is compared with it, the Gamma scale first, at five scales', () => {
  const names = Object.keys(STATISTICS).filter((name) => name !== 'smoe');
  expect(report.order.map(({ statistic }) => statistic)).toEqual(names);
  expect(report.order[0]!.statistic).toBe('gamma');
  expect(report.scales).toEqual([
    { name: 'relu', shape: [32, 48] },
    { name: 'layer1', shape: [16, 24] },
    { name: 'layer2', shape: [8, 12] },
    { name: 'layer3', shape: [4, 6] },
    { name: 'layer4', shape: [2, 3] },
  ]);
  for (const { scales } of report.order) expect(scales).toHaveLength(5);
});

test.each(['gamma', 'truncated-normal-mean'] as const)(
  'one pass over all says of %s what two passes over two say',
  async (statistic) => {
    const picture = await readPicture(CAT);
    const maps = (name: Statistic) =>
      model.net.explain(picture, { size: 64, statistic: name }).rawMaps.map(({ data }) => data);
    const [smoe, other] = [maps('smoe'), maps(statistic)];
    const { scales } = report.order.find((comparison) => comparison.statistic === statistic)!;
    scales.forEach(({ tau, rho, ...top }, s) => {
      const [a, b] = [smoe[s]!, other[s]!];
      // SMOE Scale is fused in the one and a step in the other: equal but for its last bits.
      expect(tau).toBeCloseTo(kendallTau(a, b), 3);
      expect(rho).toBeCloseTo(spearmanRho(a, b), 3);
      expect(top).toEqual({ topOverlap: topOverlap(a, b, 0.1), sameMaximum: sameMaximum(a, b) });
    });
  },
);

test('of a real network, SMOE Scale has the order of the Gamma scale to τ > 0.9, ρ > 0.98', () => {
  for (const { tau, rho } of report.order[0]!.scales) {
    expect(tau).toBeGreaterThan(0.9);
    expect(rho).toBeGreaterThan(0.98);
  }
});
