/** Networks of one's own, of any family that the library reads, in one file or several. */

import { readFileSync } from 'node:fs';
import { loadNetwork, makeKernels } from 'fastcam';
import { parseSafetensors } from 'fastcam/model';
import { readPicture } from 'fastcam/node';
import type { SaliencyMap } from 'fastcam/viz';
import { describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../../dist/node/safetensors-writer.js';
import type { PlainMap } from '../src/downloads.ts';
import { changedBy, explaining, overflow, painted, saveReport, violations } from './driver.ts';
import { page, usePage } from './setup.ts';

interface NamedFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}
type Tensors = Map<string, { data: Float32Array; shape: readonly number[] }>;

const NOT_LINEAR =
  'This network’s classifier is not linear: class activation maps need gradients, see Compare.';

const repository = new URL('../../../', import.meta.url);
const CAT = new URL('samples/chelsea.png', repository).pathname;

usePage();

/** The weights of test/goldens/graph. */
function golden(family: string): NamedFile {
  const path = new URL(`test/goldens/graph/${family}.weights.safetensors`, repository);
  return weights(family, readFileSync(path));
}

function weights(name: string, bytes: Uint8Array): NamedFile {
  const mimeType = 'application/octet-stream';
  return { name: `${name}.safetensors`, mimeType, buffer: Buffer.from(bytes) };
}

function json(name: string, value: unknown): NamedFile {
  return { name, mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(value)) };
}

function tensorsOf({ name, buffer }: NamedFile): Tensors {
  const file = parseSafetensors(buffer, name);
  return new Map(
    [...file.tensors].map(([key, { shape }]) => [key, { data: file.read(key), shape }]),
  );
}

/** The golden DenseNet with some tensors changed. */
function densenetWith(name: string, change: (tensors: Tensors) => void): NamedFile {
  const tensors = tensorsOf(golden('densenet'));
  change(tensors);
  return weights(name, writeSafetensors(Object.fromEntries(tensors)));
}

function load(...files: NamedFile[]): Promise<void> {
  return explaining(page, () => page.setInputFiles('#weights', files));
}

async function refused(...files: NamedFile[]): Promise<string> {
  await page.setInputFiles('#weights', files);
  await page.waitForFunction(() => document.getElementById('error')!.textContent !== '');
  return page.innerText('#error');
}

async function inNode({ buffer }: NamedFile) {
  const net = await loadNetwork(buffer, { kernels: await makeKernels('simd') });
  return net.explain(await readPicture(CAT));
}

/** To a thousandth of the largest value: the page's backend may round differently. */
function expectAlike(got: readonly PlainMap[], expected: readonly SaliencyMap[]): void {
  expect(got.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
  for (const [i, { data }] of expected.entries()) {
    const most = data.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    const error = got[i]!.data.reduce((max, v, p) => Math.max(max, Math.abs(v - data[p]!)), 0);
    expect(error / most).toBeLessThan(1e-3);
  }
}

/** The names of the maps on the page. */
function maps(): Promise<string[]> {
  const tiles = page.locator('.tile');
  return tiles.evaluateAll((found) => found.map((tile) => (tile as HTMLElement).dataset['map']!));
}

const weightSliders = () => page.locator('.weight input').count();

test('a VGG is explained as in Node, without the maps that need gradients, and the page says why', async () => {
  await page.click('[data-map=cam] .name');
  const vgg = golden('vgg');
  await load(vgg);
  const expected = await inNode(vgg);
  const report = await saveReport(page);
  expectAlike(
    report.scales.map(({ raw }) => raw),
    expected.rawMaps,
  );
  expect(report.scales.map(({ name }) => name)).toEqual(
    [1, 4, 9, 14, 19].map((i) => `features.${i}`),
  );
  const [top] = expected.top(1);
  expect(report.top[0]!.label).toBe(`class ${top!.index}`);
  expect(report.top[0]!.probability).toBeCloseTo(top!.probability, 3);
  expect(report.cam).toBeUndefined();
  expect(report.settings.shown).toBe('combined');

  expect((await maps()).slice(5)).toEqual(['combined', 'lovi']);
  expect(await page.innerText('#no-cam')).toBe(NOT_LINEAR);
  expect(await page.isDisabled('#cam')).toBe(true);
  expect(await page.locator('#classes input, #other:visible, #classes-hint:visible').count()).toBe(
    0,
  );
  expect(await page.getByRole('listitem').count()).toBe(5);
  expect(await page.innerText('#model')).toContain('vgg.safetensors · 12 classes');
  const changed = await changedBy(page, () => page.click('[data-weights=prior]'));
  expect(changed.toSorted()).toEqual(['combined', 'stage']);
  expect(await changedBy(page, () => page.click('[data-map=lovi] .name'))).toEqual(['stage']);
  expect(await violations(page)).toEqual([]);
  // Under Compare it has them, for the likeliest class.
  await page.selectOption('#other-method', 'fastcam');
  await page.waitForSelector('[data-map=method-fastcam] :checked');
  expect((await maps()).slice(5)).toEqual(['combined', 'lovi', 'method-fastcam']);
});

test('an AlexNet has three scales, and the page as many weights; a network of five brings all back', async () => {
  const alexnet = golden('alexnet');
  await load(alexnet);
  const expected = await inNode(alexnet);
  expectAlike(
    (await saveReport(page)).scales.map(({ raw }) => raw),
    expected.rawMaps,
  );
  expect(await maps()).toEqual(['scale1', 'scale2', 'scale3', 'combined', 'lovi']);
  expect(await weightSliders()).toBe(3);
  expect(await page.innerText('#scales-title')).toBe('3 scales');
  expect(await page.locator('.lovi-legend span').allInnerTexts()).toEqual(['1', '2', '3']);
  expect(await page.isDisabled('#prior')).toBe(true);
  await page.click('[data-weights=ramp]');
  await painted(page);
  expect((await saveReport(page)).settings.scaleWeights).toEqual([0.33, 0.67, 1]);
  expect(await violations(page)).toEqual([]);

  await load(golden('densenet'));
  expect(await maps()).toHaveLength(10);
  expect(await weightSliders()).toBe(5);
  expect(await page.isDisabled('#prior')).toBe(false);
  expect(await page.isDisabled('#cam')).toBe(false);
  expect(await page.locator('#no-cam:visible').count()).toBe(0);
  const report = await saveReport(page);
  expect(report.settings.scaleWeights).toEqual([1, 1, 1, 1, 1]);
  expect(report.cam!.shape).toEqual(report.scales[4]!.raw.shape);
});

describe('a network in several files', () => {
  const whole = golden('densenet');
  const all = [...tensorsOf(whole)];
  const part = (i: number) => `densenet-0000${i}-of-00002`;
  const shards = [1, 2].map((i) =>
    weights(part(i), writeSafetensors(Object.fromEntries(all.filter((_, at) => at % 2 === i - 1)))),
  );
  const map = all.map(([name], at) => [name, `${part((at % 2) + 1)}.safetensors`]);
  const index = json('densenet.safetensors.index.json', { weight_map: Object.fromEntries(map) });

  test('is explained as from one, with its index and class names or without', async () => {
    const labels = Array.from({ length: 12 }, (_, i) => `thing ${i}`);
    await load(shards[1]!, index, json('names.json', labels), shards[0]!);
    const report = await saveReport(page);
    const expected = await inNode(whole);
    expect(report.model.name).toBe('densenet.safetensors (2 files)');
    expect(report.target).toEqual({ index: expected.target, label: `thing ${expected.target}` });
    expectAlike(
      report.scales.map(({ raw }) => raw),
      expected.rawMaps,
    );
    await load(...shards);
    expect((await saveReport(page)).scales).toEqual(report.scales);
  });

  test('of which one is missing is refused by that one’s name', async () => {
    expect(await refused(shards[0]!, index)).toContain(`missing: ${shards[1]!.name}`);
    expect(await refused(index)).toContain(`missing: ${shards[0]!.name}, ${shards[1]!.name}`);
    expect(await refused(shards[0]!)).toBe(
      `${shards[0]!.name}: one of 2 files; choose them all at once.`,
    );
    expect(await refused(whole, json('config.json', { depth: 50 }))).toContain(
      'config.json: expected class names as an array of strings, or an index of weights; got one object.',
    );
    expect((await saveReport(page)).model.name).toBe('tiny ResNet-50');
  });
});

test('without a classifier there are maps of saliency, and no class', async () => {
  const file = densenetWith('headless', (tensors) => {
    for (const name of ['classifier.weight', 'classifier.bias']) tensors.delete(name);
  });
  await load(file);
  const report = await saveReport(page);
  expect([report.top, report.target, report.cam]).toEqual([[], undefined, undefined]);
  expect(await maps()).toHaveLength(7);
  expect(await page.innerText('#no-cam')).toBe('This network has no classifier.');
  expect(await page.innerText('#classes-hint')).toBe('This network has no classifier.');
  expect(await page.getByRole('status').innerText()).toContain('no classifier');
  expect(await violations(page)).toEqual([]);
});

test('one logit is told by its sigmoid, and has its class activation map', async () => {
  const file = densenetWith('binary', (tensors) => {
    const { data } = tensors.get('classifier.weight')!;
    tensors.set('classifier.weight', { data: data.slice(0, data.length / 12), shape: [1, 34] });
    tensors.set('classifier.bias', { data: Float32Array.of(0.5), shape: [1] });
  });
  await load(file);
  const report = await saveReport(page);
  const expected = await inNode(file);
  const [logit] = expected.logits;
  expect(report.top).toHaveLength(1);
  expect(report.top[0]!.probability).toBeCloseTo(1 / (1 + Math.exp(-logit!)), 3);
  expect(await page.innerText('#model')).toContain('1 class ·');
  expect(report.target).toEqual({ index: 0, label: 'class 0' });
  expect(report.cam).toBeDefined();
  expect(await page.getByRole('radio', { name: 'class 0' }).isChecked()).toBe(true);
});

/** The stem's weights for another number of channels. */
function channels(count: number): NamedFile {
  return densenetWith(`channels${count}`, (tensors) => {
    const { data } = tensors.get('features.conv0.weight')!;
    const shape = [16, count, 7, 7];
    const cut = Float32Array.from({ length: 16 * count * 49 }, (_, i) => data[i % data.length]!);
    tensors.set('features.conv0.weight', { data: cut, shape });
  });
}

test('one channel takes the picture’s luminance', async () => {
  await load(channels(1));
  const expected = await inNode(channels(1));
  expectAlike(
    (await saveReport(page)).scales.map(({ raw }) => raw),
    expected.rawMaps,
  );
});

test('other channels than a picture’s are refused, and the network stays', async () => {
  const told = await refused(channels(4));
  expect(told).toBe('channels4.safetensors: takes 4 channels, and a picture has 3, or 1 as grey.');
  await explaining(page, () => page.getByRole('button', { name: 'Rocket' }).click());
  expect((await saveReport(page)).model.name).toBe('tiny ResNet-50');
});

test.each([320, 390])('at a width of %i pixels nothing of a VGG is cut off', async (width) => {
  await page.setViewportSize({ width, height: 800 });
  await load(golden('vgg'));
  expect(await overflow(page)).toBe(0);
  expect(await violations(page)).toEqual([]);
});
