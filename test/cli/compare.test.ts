import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMPARED_METHODS } from '../../src/methods/gradients/comparison.js';
import { type Comparison, readPicture } from '../../src/node/index.js';
import { failure, fastcam, inTerminal, success } from './terminal.js';

const CAT = 'samples/chelsea.png';
const SMALL = ['--size', '32', '--backend', 'simd', '--steps', '3', '--samples', '2'];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fastcam-compare-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('fastcam compare', () => {
  test('every method has a time, a ratio and its passes; compare.json is what --json prints', async () => {
    const out = join(folder, 'all');
    const printed = await success('compare', CAT, ...SMALL, '-o', out, '--json');
    const report: Comparison = JSON.parse(printed);
    expect(JSON.parse(readFileSync(join(out, 'compare.json'), 'utf8'))).toEqual(report);
    expect(readdirSync(out).sort()).toEqual(['compare.json', 'sheet.png']);
    expect(report.methods.map(({ name }) => name)).toEqual(
      COMPARED_METHODS.map(({ name }) => name),
    );
    for (const { name, cost } of report.methods) {
      expect(cost!.ratio, name).toBe(cost!.ms / report.forward.ms);
      expect(cost!.bytes, name).toBeGreaterThan(report.forward.bytes / 2);
    }
    const passes = Object.fromEntries(report.methods.map(({ name, cost }) => [name, cost!.passes]));
    expect(passes).toMatchObject({
      ...{ saliency: 0, fastcam: 0, gradcam: 1, gradient: 1, 'integrated-gradients': 3 },
      ...{ 'gradient:smoothgrad-squared': 2, 'gradient:vargrad': 2 },
      'integrated-gradients:smoothgrad-squared': 6,
    });
  });

  test('a network without scales: gradients as usual, and saliency at the values that --taps names', async () => {
    const model = ['--model', 'test/goldens/graph/convnext.onnx', '--backend', 'simd'];
    const argv = [...model, '--methods', 'saliency,fastcam,gradient', '--json'];
    const run = await fastcam('compare', CAT, ...argv, '-o', join(folder, 'scales'));
    expect(run.code).toBe(1);
    const { methods }: Comparison = JSON.parse(run.stdout);
    expect(methods.map(({ name, cost }) => [name, cost?.passes])).toEqual([
      ['saliency', undefined],
      ['fastcam', undefined],
      ['gradient', 1],
    ]);
    const [, names] = /SMOE Scale: taps: .*: name some of (\S+)\n/.exec(run.stderr)!;
    const given = ['--taps', names!, '-o', join(folder, 'scales')];
    const { stdout } = await fastcam('compare', CAT, ...argv, ...given);
    const tapped: Comparison = JSON.parse(stdout);
    // FastCAM's class activation map takes a pass through the classifier, which is not linear.
    expect(tapped.methods.map(({ cost }) => cost!.passes)).toEqual([0, 1, 1]);
  });

  test('the sheet has a row for each group of methods, and is wide enough for the longest', async () => {
    const sizeOf = async (name: string, methods: string): Promise<number[]> => {
      const out = join(folder, name);
      await success('compare', CAT, ...SMALL, '-o', out, '--methods', methods);
      const { width, height } = await readPicture(join(out, 'sheet.png'));
      return [width, height];
    };
    const one = await sizeOf('one', 'saliency');
    const two = await sizeOf('two', 'saliency,gradient');
    const wide = await sizeOf(
      'wide',
      'gradient,saliency,guided-backprop,gradcam,xgradcam,hirescam',
    );
    expect(two[0]).toBe(one[0]);
    const row = two[1]! - one[1]!;
    // A tile, its title above, its two lines below.
    expect(row).toBeGreaterThan(170 + 3 * 24);
    expect(wide[1]).toBe(one[1]! + 2 * row);
  });

  test('the table has a row for the forward pass and for each method, in a fixed order', async () => {
    const argv = [...SMALL, '-o', join(folder, 'table'), '--methods', 'gradient,saliency'];
    const text = await success('compare', CAT, ...argv, '--class', 'espresso');
    const rows = [...text.matchAll(/^│ (\S[^│]*?) +│/gm)].map(([, name]) => name);
    expect(rows).toEqual(['forward pass', 'SMOE Scale', 'Gradient']);
    expect(text).toMatch(/^Explained class: espresso \(/m);
  });

  test('the bar shows the method under way', async () => {
    const argv = [...SMALL, '-o', join(folder, 'bar'), '--methods', 'saliency,gradcam'];
    const { code, stderr } = await inTerminal(true, ['compare', CAT, ...argv]);
    expect(code).toBe(0);
    // The bar draws the latest of many updates.
    expect(stderr).toMatch(/[12]\/2 Grad-CAM/);
  });

  test.each([
    [],
    [CAT, 'b.png'],
    [CAT, '--methods', 'gradient,magic'],
    [CAT, '--methods', ''],
    [CAT, '--samples', '0'],
  ])('compare %s %s %s: one line that points to the help, exit code 2', async (...argv) => {
    const words = argv.filter((word) => word !== undefined);
    expect(await failure(2, 'compare', ...words)).toContain('; see fastcam compare --help');
  });

  test('an unknown class, exit code 2; a picture that cannot be read, exit code 1', async () => {
    const out = ['-o', join(folder, 'none')];
    expect(await failure(2, 'compare', CAT, '--class', 'unicorn', ...out)).toContain('unicorn');
    expect(await failure(1, 'compare', join(folder, 'no.png'), ...out)).toContain('no such file');
    expect(readdirSync(folder)).not.toContain('none');
  });
});
