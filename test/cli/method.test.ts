import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseSafetensors } from '../../src/model/index.js';
import { type Report, readPicture } from '../../src/node/index.js';
import { writeSafetensors } from '../../src/node/safetensors-writer.js';
import { failure, fastcam, success } from './terminal.js';

const CAT = 'samples/chelsea.png';
const SMALL = ['--size', '64', '--backend', 'simd'];
const METHOD = ['--only', 'attribution,attribution-overlay', '--method'];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fastcam-method-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Explains the cat, and reads the arrays of `--tensors`. */
async function arraysOf(name: string, ...argv: string[]) {
  const path = join(folder, `${name}.safetensors`);
  const own = ['-o', join(folder, name), '--tensors', path, '--json'];
  const report: Report = JSON.parse(await success('explain', CAT, ...SMALL, ...argv, ...own));
  return { report, arrays: parseSafetensors(readFileSync(path), path) };
}

describe('fastcam explain --method', () => {
  test('draws the map beside the usual pictures, at the size of the picture', async () => {
    const out = join(folder, 'pictures');
    await success('explain', CAT, ...SMALL, '-o', out, '--method', 'gradient');
    const files = readdirSync(join(out, 'chelsea'));
    for (const name of ['attribution.png', 'attribution-overlay.png']) {
      expect(files).toContain(name);
      const { width, height } = await readPicture(join(out, 'chelsea', name));
      expect([width, height]).toEqual([451, 300]);
    }
    expect(files).toContain('fastcam.png');
    const plain = await success('explain', CAT, ...SMALL, '-o', join(folder, 'plain'));
    expect(plain).not.toContain('attribution');
  });

  test('the report has method, score, class, passes and bytes; the summary names the files', async () => {
    const argv = [...METHOD, 'integrated-gradients', '--steps', '3', '--score', 'log-probability'];
    const { report } = await arraysOf('report', ...argv, '--class', '7');
    const { attribution, target, model } = report;
    expect(attribution).toMatchObject({
      ...{ method: 'integrated-gradients', smoothing: 'none', score: 'log-probability' },
      ...{ targets: [target], passes: 3 },
    });
    expect(target!.index).toBe(7);
    expect(attribution!.bytes.pass).toBeGreaterThan(report.cost.bytes.arena);
    expect(attribution!.ms).toBeGreaterThan(0);
    expect(model.name).toBe('bundled');
    expect(report.files.map((file) => file.slice(folder.length + 1))).toEqual([
      'report/chelsea/attribution.png',
      'report/chelsea/attribution-overlay.png',
      'report.safetensors',
      'report/chelsea/report.json',
    ]);
  });

  test('--tensors: `map` is the largest magnitude of the channels of `attribution`', async () => {
    const { report, arrays } = await arraysOf('tensors', ...METHOD, 'input-x-gradient');
    const [H, W] = report.input.networkInput as [number, number];
    expect(arrays.tensors.get('attribution')!.shape).toEqual([1, 3, H, W]);
    expect(arrays.tensors.get('map')!.shape).toEqual([1, H, W]);
    const attribution = arrays.read('attribution');
    const largest = Float32Array.from({ length: H * W }, (_, p) =>
      Math.max(...[0, 1, 2].map((c) => Math.abs(attribution[c * H * W + p]!))),
    );
    expect(arrays.read('map')).toEqual(largest);
    expect(Math.max(...largest)).toBeGreaterThan(0);
  });

  test('the same seed gives the same bits, another seed does not', async () => {
    const smooth = [...METHOD, 'gradient', '--smoothing', 'smoothgrad-squared', '--samples', '2'];
    const [a, b, c] = [
      await arraysOf('a', ...smooth, '--seed', '5'),
      await arraysOf('b', ...smooth, '--seed', '5'),
      await arraysOf('c', ...smooth, '--seed', '6'),
    ];
    expect(a.report.attribution).toMatchObject({ smoothing: 'smoothgrad-squared', passes: 2 });
    expect(b.arrays.read('map')).toEqual(a.arrays.read('map'));
    expect(c.arrays.read('map')).not.toEqual(a.arrays.read('map'));
  });

  test('--noise 0 smooths nothing: the mean of equal gradients is the gradient', async () => {
    const smooth = ['--smoothing', 'smoothgrad', '--samples', '3', '--noise', '0'];
    const { arrays } = await arraysOf('noiseless', ...METHOD, 'gradient', ...smooth);
    const plain = await arraysOf('noise', ...METHOD, 'gradient');
    const expected = plain.arrays.read('attribution');
    const bound = 1e-6 * Math.max(...expected.map(Math.abs));
    const off = arrays.read('attribution').map((x, i) => Math.abs(x - expected[i]!));
    expect(Math.max(...off)).toBeLessThanOrEqual(bound);
  });

  test('a baseline may be a tensor: that of the input itself gives integrated gradients of 0', async () => {
    const data = Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => Math.sin(i));
    const input = join(folder, 'input.safetensors');
    writeFileSync(input, writeSafetensors({ input: { shape: [1, 3, 32, 32], data } }));
    const path = join(folder, 'zero.safetensors');
    const argv = [...METHOD, 'integrated-gradients', '--steps', '2', '--baseline'];
    const out = ['-o', join(folder, 'zero'), '--tensors', path];
    await success('explain', input, '--backend', 'simd', ...argv, input, ...out);
    const arrays = parseSafetensors(readFileSync(path), path);
    expect(arrays.read('attribution').every((x) => x === 0)).toBe(true);
    await success('explain', input, '--backend', 'simd', ...argv, 'mean', ...out);
    const other = parseSafetensors(readFileSync(path), path);
    expect(other.read('attribution').some((x) => x !== 0)).toBe(true);
  });

  test('each picture of a tensor file has its own map, as if it were alone', async () => {
    const data = Float32Array.from({ length: 2 * 3 * 32 * 32 }, (_, i) => Math.sin(i * i));
    const write = (name: string, first: number, count: number): string => {
      const path = join(folder, name);
      const part = data.slice(first * 3072, (first + count) * 3072);
      writeFileSync(path, writeSafetensors({ input: { shape: [count, 3, 32, 32], data: part } }));
      return path;
    };
    const mapOf = async (name: string, first: number, count: number): Promise<Float32Array> => {
      const arrays = join(folder, `out-${name}`);
      const out = ['-o', join(folder, 'batch'), '--tensors', arrays, '--backend', 'simd'];
      await success('explain', write(name, first, count), ...METHOD, 'gradient', ...out);
      return parseSafetensors(readFileSync(arrays), arrays).read('map');
    };
    const both = await mapOf('both.safetensors', 0, 2);
    expect(both.subarray(1024)).toEqual(await mapOf('second.safetensors', 1, 1));
  });

  test('--also-class adds the score of another class: the gradient is the sum of both', async () => {
    const [cat, tabby, both] = [
      await arraysOf('cat', ...METHOD, 'gradient', '--class', 'Egyptian cat'),
      await arraysOf('tabby', ...METHOD, 'gradient', '--class', 'tabby'),
      await arraysOf('both', ...METHOD, 'gradient', '--class', '32', '--also-class', 'tabby'),
    ].map(({ arrays }) => arrays.read('attribution'));
    const most = both!.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    expect(most).toBeGreaterThan(0);
    both!.forEach((value, i) => {
      expect(Math.abs(value - cat![i]! - tabby![i]!)).toBeLessThanOrEqual(1e-5 * most);
    });
  });

  test('--at names the values of a class activation map; all stands for every scale', async () => {
    const mapAt = async (name: string, ...argv: string[]) =>
      (await arraysOf(name, ...METHOD, 'layercam', ...argv)).arrays.read('map');
    const last = await mapAt('last');
    expect(await mapAt('layer4', '--at', 'layer4')).toEqual(last);
    const all = await mapAt('all', '--at', 'all');
    expect(await mapAt('each', '--at', 'relu,layer1,layer2,layer3,layer4')).toEqual(all);
    expect(all).not.toEqual(last);
  });

  test('--taps activations measures after every activation function', async () => {
    const { report } = await arraysOf('activations', '--taps', 'activations', '--only', 'saliency');
    expect(report.scales.length).toBe(49);
  });

  test('threads draw it, too', async () => {
    const copy = join(folder, 'copy.png');
    writeFileSync(copy, readFileSync(CAT));
    const out = join(folder, 'threads');
    const argv = [...METHOD, 'guided-backprop', '-o', out, '--jobs', '2', '--json'];
    const lines = (await success('explain', CAT, copy, ...SMALL, ...argv)).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).attribution.method)).toEqual([
      'guided-backprop',
      'guided-backprop',
    ]);
    expect(readFileSync(join(out, 'copy', 'attribution.png'))).toEqual(
      readFileSync(join(out, 'chelsea', 'attribution.png')),
    );
  });

  test('a network whose classifier is not linear has FastCAM, too: VGG from its weights', async () => {
    const out = join(folder, 'vgg');
    const model = ['--model', 'test/goldens/graph/vgg.weights.safetensors', '--size', '64'];
    const argv = [...model, '--backend', 'simd', '--only', 'fastcam,attribution', '--json'];
    const run = await fastcam('explain', CAT, ...argv, '--method', 'gradcam', '-o', out);
    expect(run.code).toBe(0);
    const { options, files, attribution } = JSON.parse(run.stdout);
    expect(options.cam).toBe('gradcam++');
    expect(attribution.passes).toBe(1);
    expect(files).toContain(join(out, 'chelsea', 'fastcam.png'));
    const { data } = await readPicture(join(out, 'chelsea', 'fastcam.png'));
    expect(new Set(data).size).toBeGreaterThan(10);
  });

  test.each([
    [['--steps', '3'], '--steps: it needs --method'],
    [['--smoothing', 'vargrad'], '--smoothing: it needs --method'],
    [['--score', 'logit'], '--score: it needs --method'],
    [['--method', 'gradient', '--steps', '3'], '--steps: it has no effect on gradient'],
    [['--method', 'gradient', '--baseline', 'mean'], '--baseline: it has no effect'],
    [['--method', 'gradient', '--seed', '1'], '--seed: it has no effect without --smoothing'],
    [['--method', 'gradcam', '--smoothing', 'vargrad'], '--smoothing: expected none for gradcam'],
    [['--method', 'gradient', '--at', 'layer3'], '--at: it has no effect on gradient'],
    [['--method', 'gradcam', '--at', 'layer9'], '--at: expected names of values'],
    [['--class', '3', '--also-class', '4'], '--also-class: it needs --method'],
    [['--method', 'gradient', '--also-class', '4'], '--also-class: it needs --class'],
    [['--method', 'gradient', '--class', '3', '--also-class', 'no'], '--class no'],
    [['--only', 'attribution'], '--only: attribution needs a method'],
    [['--method', 'magic'], 'Allowed choices are gradient, input-x-gradient'],
    [['--method', 'gradient', '--score', 'magic'], 'Allowed choices are logit, two-sided'],
    [['--method', 'integrated-gradients', '--steps', '0'], 'a whole number of steps from 1'],
    [['--method', 'integrated-gradients', '--baseline', 'x.png'], 'Expected zero, mean, blurred'],
    [['--method', 'gradient', '--noise', '-1'], 'Expected a number that is not negative'],
    [['--method', 'gradient', '--seed', '1.5'], 'Expected a whole number from 0'],
  ])('explain %j: one line, exit code 2, and nothing is written', async (argv, message) => {
    const out = join(folder, 'wrong');
    expect(await failure(2, 'explain', CAT, ...argv, '-o', out)).toContain(message);
    expect(readdirSync(folder)).not.toContain('wrong');
  });

  test('a baseline of another size is one line, exit code 1', async () => {
    const baseline = join(folder, 'small.safetensors');
    const data = new Float32Array(3 * 32 * 32);
    writeFileSync(baseline, writeSafetensors({ input: { shape: [1, 3, 32, 32], data } }));
    const argv = ['--method', 'integrated-gradients', '--baseline', baseline];
    const { code, stderr } = await fastcam('explain', CAT, ...argv, '-o', join(folder, 'other'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^fastcam: [^\n]*baseline expected 128×192, got 32×32\n$/);
  });
});
