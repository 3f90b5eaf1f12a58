import { describe, expect, test } from 'vitest';
import type { LayerProfile, Profile, Rate } from '../../src/node/profile.js';
import { cellsOf, failure, success } from './terminal.js';

type Printed = Profile & { model: string; backend: string; machine: string };

/** Of the bundled model at 64×64 on the portable backend. */
function bench(...argv: string[]): Promise<string> {
  const small = ['--model', 'bundled', '--size', '64', '--backend', 'js', '--rounds', '3'];
  return success('bench', ...small, ...argv);
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

function expectRate({ macs, ms, gmacPerSecond, ofMicrokernel }: Rate, peak: number): void {
  expect(ms).toBeGreaterThan(0);
  expect(gmacPerSecond).toBeCloseTo(macs / ms / 1e6, 9);
  expect(ofMicrokernel).toBeCloseTo(gmacPerSecond / peak, 9);
}

describe('fastcam bench', async () => {
  const profile: Printed = JSON.parse(await bench('--layers', '--json'));

  test('--layers --json: the layers add up to the network, their shares to 1', () => {
    const { layers, network, ...rest } = profile;
    expect(rest).toMatchObject({ model: 'bundled', backend: 'js', size: 64, rounds: 3 });
    expect(rest.machine).toContain(process.versions.node);
    expect(rest.saliencyMs).toBeGreaterThan(0);
    const peak = rest.microkernelGmacPerSecond;
    expect(peak).toBeGreaterThan(0);
    for (const rate of [network, ...layers]) expectRate(rate, peak);
    expect(sum(layers.map(({ macs }) => macs))).toBe(network.macs);
    expect(sum(layers.map(({ ms }) => ms))).toBeCloseTo(network.ms, 9);
    expect(sum(layers.map(({ share }) => share))).toBeCloseTo(1, 12);
  });

  test('layers have the weights’ names, their shapes, and the algorithm of a convolution', () => {
    const { layers } = profile;
    // The stem, two pools, sixteen blocks of three, four downsamplings, the classifier.
    expect(layers).toHaveLength(1 + 2 + 16 * 3 + 4 + 1);
    const about = ({ name, shape, algorithm }: LayerProfile) => [name, shape, algorithm];
    expect([0, 1, 3, 5, 54, 55].map((i) => about(layers[i]!))).toEqual([
      ['conv1', '7×7/2, 64×64×3 → 32×32×16', 'gemm'],
      ['maxPool', '3×3/2, 32×32×16 → 16×16×16', undefined],
      ['layer1.0.conv2', '3×3, 16×16×16 → 16×16×16', 'winograd'],
      ['layer1.0.downsample.0', '1×1, 16×16×16 → 16×16×64', 'gemm'],
      ['globalMean', '2×2×512 → 1×1×512', undefined],
      ['fc', '1×1, 1×1×512 → 1×1×200', 'gemm'],
    ]);
    expect(layers[1]).toMatchObject({ macs: 0, gmacPerSecond: 0, ofMicrokernel: 0 });
  });

  test('--statistic adds a layer for each scale: the statistic, and what it splits a ReLU off for', async () => {
    const argv = ['--layers', '--json', '--statistic', 'truncated-normal-sd'];
    const { layers }: Printed = JSON.parse(await bench(...argv));
    expect(layers).toHaveLength(profile.layers.length + 2 * 5);
    const about = layers.slice(1, 3).map(({ name, shape, macs }) => [name, shape, macs]);
    expect(about).toEqual([
      ['truncated-normal-sd', '32×32×16 → 32×32×1', 0],
      ['relu', '32×32×16', 0],
    ]);
  });

  test('without --layers the totals are all, for programs and for people', async () => {
    expect(JSON.parse(await bench('--json'))).not.toHaveProperty('layers');
    const [subject, totals, ...rest] = (await bench()).split('\n');
    expect(subject).toMatch(/^bundled at 64 × 64, backend js, medians of 3 passes; Node /);
    expect(totals).toMatch(
      /^Network [\d.]+ ms, saliency [\d.]+ ms; [\d.]+ GMAC, [\d.]+ GMAC\/s: \d+ % of the microkernel's [\d.]+$/,
    );
    expect(rest).toEqual(['']);
  });

  test('the table has a row for each layer, pools without a rate', async () => {
    const table = await bench('--layers');
    expect(cellsOf(table, 'layer4.2.conv3')).toHaveLength(7);
    expect(cellsOf(table, 'maxPool').slice(-2)).toEqual(['', '']);
  });

  test('the default is noise of a named architecture', async () => {
    const argv = ['--arch', 'resnet18', '--size', '32', '--rounds', '1', '--json'];
    expect(JSON.parse(await success('bench', ...argv))).toMatchObject({
      model: 'resnet18 of noise',
      size: 32,
    });
  });

  test('a model that cannot be read is one line, exit code 1', async () => {
    const line = await failure(1, 'bench', '--model', 'no-such.safetensors');
    expect(line).toBe('fastcam: no-such.safetensors: no such file\n');
  });

  test.each([
    ['photo.png'],
    ['--arch', 'vgg12'],
    ['--backend', 'gpu'],
    ['--size', '0'],
    ['--rounds', '0'],
    ['--rounds', 'many'],
    ['--rounds', '1e9'],
    ['--model', ''],
    ['--statistic', 'median'],
    ['--depth'],
  ])('bench %s %s: one line that points to the help, exit code 2', async (...argv) => {
    const words = argv.filter((word) => word !== undefined);
    expect(await failure(2, 'bench', ...words)).toContain('; see fastcam bench --help');
  });
});
