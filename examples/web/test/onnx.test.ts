/** Networks from ONNX files on the page: explained as in Node, and their pixels chosen where the file says nothing. */

import { basename } from 'node:path';
import { loadNetwork, makeKernels } from 'fastcam';
import { readPicture } from 'fastcam/node';
import { expect, test } from 'vitest';
import { ENGINE } from './browser.ts';
import { explaining, overflow, saveReport, violations } from './driver.ts';
import {
  choose,
  drop,
  expectAlike,
  expectAsInNode,
  fileAt,
  refused,
  scriptsOfWorker,
} from './own-files.ts';
import { page, usePage } from './setup.ts';

const PIXELS =
  "Note: nothing says what pixels become before the network: ImageNet's mean and deviation are assumed";

usePage();

function golden(name: string): string {
  return new URL(`../../../test/goldens/graph/${name}.onnx`, import.meta.url).pathname;
}

/** A network whose weights lie beside it, and which says all of itself. */
const SMALL = new URL('files/small.onnx', import.meta.url).pathname;
const small = fileAt(SMALL);
const smallData = fileAt(`${SMALL}.data`);

function choosePixels(value: string): Promise<void> {
  return explaining(page, async () => {
    await page.selectOption('#pixels', value);
  });
}

test('a MobileNetV2 is explained as in Node, with its class activation maps', async () => {
  const path = golden('mobilenet-v2');
  await explaining(page, () => choose(fileAt(path)));
  await expectAsInNode(path);
  const report = await saveReport(page);
  expect(report.model.name).toBe('mobilenet-v2.onnx');
  expect(report.cam!.shape).toEqual(report.scales.at(-1)!.raw.shape);
  expect(await page.innerText('#notes')).toBe(PIXELS);
});

test.each([
  ['mobilenet-v3', 'hard swish, squeeze-and-excitation, a classifier that is not linear'],
  ['shufflenet', 'channel shuffles, and pictures of 96×64 alone'],
  ['densenet', 'concatenations'],
  ['resnet-grey-binary', 'one channel and one class'],
])('%s: %s', async (name) => {
  const path = golden(name);
  await explaining(page, () => choose(fileAt(path)));
  const report = await saveReport(page);
  expect(report.model.name).toBe(basename(path));
  if (name !== 'resnet-grey-binary') await expectAsInNode(path);
  else expect(await page.innerText('#model')).toContain('1 class ·');
});

test('weights in another file come together with the model, with names and mean that the file says', async () => {
  expect(await refused(small)).toBe(
    'small.onnx: its weights lie in small.onnx.data: choose it together with the model',
  );
  await explaining(page, () => drop(smallData, small));
  await expectAsInNode(SMALL);
  const { top } = await saveReport(page);
  expect(top.map(({ label }) => label).toSorted()).toEqual(['ant', 'bee', 'cat', 'dog', 'eel']);
  expect(await page.isVisible('#notes')).toBe(false);
  const names = ['v', 'w', 'x', 'y', 'z'];
  const labels = { name: 'names.json', bytes: Buffer.from(JSON.stringify(names)) };
  await explaining(page, () => choose(small, labels, smallData));
  expect((await saveReport(page)).top.map(({ label }) => label).toSorted()).toEqual(names);
});

test('what pixels become before a network of one’s own can be chosen', async () => {
  expect(await page.isVisible('#pixels')).toBe(false);
  const path = golden('resnet-cifar');
  await explaining(page, () => choose(fileAt(path)));
  expect(await page.inputValue('#pixels')).toBe('said');
  const first = await saveReport(page);
  for (const range of ['caffe', '0..1', '-1..1', '0..255', 'imagenet'] as const) {
    await choosePixels(range);
    await expectAsInNode(path, { preprocess: range });
    expect(await page.isVisible('#notes')).toBe(false);
  }
  // ImageNet's is what was assumed.
  expect((await saveReport(page)).scales).toEqual(first.scales);
  await page.selectOption('#pixels', '0..1');
  await page.selectOption('#statistic', 'sd');
  await page.waitForFunction(() =>
    document.getElementById('cost')!.textContent!.includes('8 forward passes'),
  );
  await expectAsInNode(path, { preprocess: '0..1', statistic: 'sd' });
  expect(await violations(page)).toEqual([]);
  // Another network, another choice.
  await explaining(page, () => choose(small, smallData));
  expect(await page.inputValue('#pixels')).toBe('said');
  await expectAsInNode(SMALL, { statistic: 'sd' });
});

test('of one channel there is no Caffe', async () => {
  await explaining(page, () => choose(fileAt(golden('resnet-grey-binary'))));
  expect(await page.locator('#pixels [value=caffe]:disabled').count()).toBe(1);
});

test('safetensors have the choice too', async () => {
  const path = new URL('../../../models/tiny-resnet50.safetensors', import.meta.url).pathname;
  await explaining(page, () => choose(fileAt(path, 'mine.safetensors')));
  await choosePixels('0..1');
  const range = { mean: [0, 0, 0], std: [1, 1, 1] };
  const options = { kernels: await makeKernels('simd'), preprocessing: range };
  const net = await loadNetwork(fileAt(path).bytes, options);
  const picture = new URL('../../../samples/chelsea.png', import.meta.url).pathname;
  const expected = net.explain(await readPicture(picture));
  const { scales } = await saveReport(page);
  for (const [i, { data }] of expected.rawMaps.entries()) expectAlike(scales[i]!.raw.data, data);
});

test('what cannot be read is told in one line, and the network stays', async () => {
  const { bytes } = fileAt(golden('mobilenet-v2'));
  const cut = await refused({ name: 'cut.onnx', bytes: bytes.subarray(0, 500_000) });
  expect(cut).toBe('cut.onnx: not an ONNX model: damaged at byte 500000, or the file is cut short');
  const spoilt = bytes.slice();
  spoilt.fill(0xff, 20_000, 400_000);
  const told = await refused({ name: 'spoilt.onnx', bytes: spoilt });
  expect(told).toMatch(/^spoilt\.onnx: /);
  expect(told).not.toContain('\n');
  const short = await refused(small, { ...smallData, bytes: smallData.bytes.subarray(0, 4000) });
  expect(short).toMatch(/^small\.onnx: /);
  await explaining(page, () => page.getByRole('button', { name: 'Rocket' }).click());
  expect((await saveReport(page)).model.name).toBe('tiny ResNet-50');
  expect(await page.isVisible('#pixels')).toBe(false);
});

test.runIf(ENGINE === 'chromium')('the reader is loaded when an ONNX file comes', async () => {
  expect(await scriptsOfWorker()).toEqual([]);
  await explaining(page, () => choose(small, smallData));
  expect(await scriptsOfWorker()).toContain('onnx');
});

test.each([320, 390])(
  'at a width of %i pixels the choice is there, and nothing is cut off',
  async (width) => {
    await page.setViewportSize({ width, height: 800 });
    await explaining(page, () => choose(fileAt(golden('resnet-cifar'))));
    expect(await page.isVisible('#pixels')).toBe(true);
    expect(await overflow(page)).toBe(0);
    expect(await violations(page)).toEqual([]);
  },
);
