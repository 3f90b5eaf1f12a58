import { readFileSync } from 'node:fs';
import { loadNetwork, makeKernels } from 'fastcam';
import { decodePicture, readPicture } from 'fastcam/node';
import {
  colorize,
  combineMaps,
  normalizeRange,
  type SaliencyMap,
  toNdArray,
  upsampleBilinear,
} from 'fastcam/viz';
import type { JSHandle, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { PlainMap, Report } from '../src/downloads.ts';
import { ENGINE, saved } from './browser.ts';
import { changedBy, explaining, painted, passes, pixelsOf, saveReport, slide } from './driver.ts';
import { drop } from './own-files.ts';
import { browser, page, usePage } from './setup.ts';

const repository = new URL('../../../', import.meta.url);
const fileIn = (path: string): string => new URL(path, repository).pathname;

const SCALES = ['scale1', 'scale2', 'scale3', 'scale4', 'scale5'];
const OF_THE_CLASS = ['cam', 'fastcam', 'nonClass'];
/** In these the combination is, and none of the maps it is made of. */
const COMBINED = ['combined', 'fastcam', 'nonClass', 'stage'];

usePage();

function toMap({ shape, data }: PlainMap): SaliencyMap {
  return toNdArray(Float32Array.from(data), [...shape]);
}

function combinedOf({ scales, settings, picture }: Report): SaliencyMap {
  const maps = scales.map(({ normalized }) => toMap(normalized));
  return combineMaps(maps, [picture.height, picture.width], settings.scaleWeights);
}

function sameBytes(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.from(a).every((byte, i) => byte === b[i]);
}

function maxOf(values: Iterable<number>): number {
  let max = 0;
  for (const value of values) max = Math.max(max, Math.abs(value));
  return max;
}

test('the first sample is explained as the library explains it in Node, to a thousandth', async () => {
  const report = await saveReport(page);
  const kernels = await makeKernels('simd');
  const net = await loadNetwork(readFileSync(fileIn('models/tiny-resnet50.safetensors')), {
    kernels,
  });
  const explanation = net.explain(await readPicture(fileIn('samples/chelsea.png')));
  const expected = explanation.top(5);
  expect(report.top.map(({ index }) => index)).toEqual(expected.map(({ index }) => index));
  for (const [i, { probability }] of expected.entries()) {
    expect(report.top[i]!.probability).toBeCloseTo(probability, 3);
  }
  expect(report.top[0]!.label).toBe('Egyptian cat');
  for (const [i, { data, shape }] of explanation.rawMaps.entries()) {
    const { raw } = report.scales[i]!;
    expect(raw.shape).toEqual(shape);
    const error = maxOf(raw.data.map((value, p) => value - data[p]!));
    expect(error / maxOf(data)).toBeLessThan(1e-3);
  }
});

describe('a control changes the maps that depend on it, and no other', () => {
  const controls: [name: string, action: (page: Page) => Promise<unknown>, changed: string[]][] = [
    ['a weight', (page) => slide(page, '[data-map=scale3] .weight input', 0.2), COMBINED],
    ['a set of weights', (page) => page.click('[data-weights=ramp]'), COMBINED],
    [
      'the normaliser',
      (page) => page.selectOption('#normalizer', 'gamma'),
      [...SCALES, ...COMBINED, 'lovi'],
    ],
    ['the CAM method', (page) => page.selectOption('#cam', 'xgradcam'), OF_THE_CLASS],
    [
      'the colour map',
      (page) => page.selectOption('#colormap', 'cividis'),
      [...SCALES, ...COMBINED, 'cam', 'colorbar'],
    ],
    ['opacity', (page) => slide(page, '#opacity', 0.9), ['stage']],
    ['a map laid over the picture', (page) => page.click('[data-map=cam] .name'), ['stage']],
    ['LOVI laid over the picture', (page) => page.click('[data-map=lovi] .name'), ['stage']],
    ['a scale laid over the picture', (page) => page.click('[data-map=scale4] .name'), ['stage']],
    [
      'a listed class',
      (page) => page.locator('#classes label').nth(1).click(),
      [...OF_THE_CLASS, 'stage'],
    ],
    [
      'another class',
      (page) => page.selectOption('#other', { label: 'teapot' }),
      [...OF_THE_CLASS, 'stage'],
    ],
  ];
  test.each(controls)('%s, without a forward pass', async (_, action, expected) => {
    const changed = await changedBy(page, () => action(page));
    expect(changed.toSorted()).toEqual(expected.toSorted());
    expect(await passes(page)).toBe(1);
  });

  test('a statistic, with one forward pass for each picture', async () => {
    const choose = (value: string) => page.selectOption('#statistic', value);
    const told = await statusesFrom(page);
    const changed = await changedBy(page, () => explaining(page, () => choose('gamma')));
    expect(changed.toSorted()).toEqual([...SCALES, ...COMBINED, 'lovi'].toSorted());
    expect(await passes(page)).toBe(2);
    expect(await told.jsonValue()).toEqual(['Looking by Gamma scale…, bar', 'Egyptian cat, 40 %']);
    await choose('smoe');
    await choose('gamma');
    await painted(page);
    expect(await passes(page)).toBe(2);
    expect((await saveReport(page)).settings.statistic).toBe('gamma');
    await explaining(page, () => page.getByRole('button', { name: 'Coffee' }).click());
    expect(await passes(page)).toBe(3);
  });

  test('weights that would sum to 0 do not', async () => {
    for (const name of SCALES) await slide(page, `[data-map=${name}] .weight input`, 0);
    await painted(page);
    const { settings } = await saveReport(page);
    expect(settings.scaleWeights).toEqual([0, 0, 0, 0, 0.01]);
  });
});

test('the combined map has the colours that fastcam gives to the saved numbers', async () => {
  await slide(page, '[data-map=scale1] .weight input', 0.3);
  await slide(page, '[data-map=scale5] .weight input', 0.7);
  await painted(page);
  const combined = combinedOf(await saveReport(page));
  const [height, width] = combined.shape as [number, number];
  // A tile shows every second pixel of a picture of this size.
  const shape = [Math.ceil(height / 2), Math.ceil(width / 2)];
  const expected = colorize({ ...combined, shape, stride: [2 * width, 2] });
  const painting = await pixelsOf(page, '[data-map=combined] canvas');
  expect(sameBytes(painting, expected.data)).toBe(true);
});

test('values under the pointer are those of the arrays, in every map', async () => {
  const report = await saveReport(page);
  const { width, height } = report.picture;
  const combined = combinedOf(report);
  const cam = toNdArray(new Float32Array(width * height), [height, width]);
  upsampleBilinear(cam.data, [height, width], toMap(report.cam!));
  normalizeRange(cam.data, cam.data);
  const lovi = await pixelsOf(page, '[data-map=lovi] .frame canvas');

  const box = (await page.locator('#probe').boundingBox())!;
  for (const [left, top] of [
    [0.02, 0.03],
    [0.41, 0.52],
    [0.97, 0.96],
  ] as const) {
    // Firefox points at whole pixels of the screen.
    const [x, y] = [Math.round(box.x + left * box.width), Math.round(box.y + top * box.height)];
    await page.mouse.move(x, y);
    await painted(page);
    const [u, v] = [(x - box.x) / box.width, (y - box.y) / box.height];
    const at = ({ shape: [h, w], data }: PlainMap | SaliencyMap): number =>
      data[Math.floor(v * h!) * w! + Math.floor(u * w!)]!;
    const pixel = 4 * (Math.floor(v * height) * width + Math.floor(u * width));
    const expected = [
      ...report.scales.map(({ normalized }) => at(normalized)),
      at(combined),
      Math.max(...lovi.subarray(pixel, pixel + 3)) / 255,
      at(cam),
      at(combined) * at(cam),
      at(combined) * (1 - at(cam)),
    ];
    const shown = await page.locator('.tile .value').allInnerTexts();
    expect(shown).toEqual(expected.map((value) => Math.fround(value).toFixed(3)));
    expect(await page.innerText('#stage-value')).toContain(at(combined).toFixed(3));
  }
  await page.mouse.move(2, 2);
  await painted(page);
  expect(await page.locator('.tile .value:visible').count()).toBe(0);
});

test('what is saved can be read: a picture as it is shown, and the numbers', async () => {
  const picture = await saved(page, () => page.click('#save-png'));
  expect(picture.name).toBe('chelsea-saliency.png');
  const decoded = await decodePicture(picture.bytes, picture.name);
  expect([decoded.width, decoded.height]).toEqual([451, 300]);
  expect(sameBytes(decoded.data, await pixelsOf(page, '#stage'))).toBe(true);
  const numbers = await saved(page, () => page.click('#save-json'));
  expect(numbers.name).toBe('chelsea.fastcam.json');
  const report = JSON.parse(numbers.bytes.toString()) as Report;
  expect(report.scales.map(({ raw }) => raw.data.length)).toEqual([6144, 1536, 384, 96, 24]);
  expect(report.cam!.shape).toEqual([4, 6]);
});

describe('a picture comes in', () => {
  const rocket = readFileSync(fileIn('samples/rocket.jpg'));
  const size = async (): Promise<number[]> => {
    const { picture } = await saveReport(page);
    return [picture.width, picture.height];
  };

  test('from a file, turned as its EXIF says', async () => {
    const file = { name: 'turned.jpg', mimeType: 'image/jpeg', buffer: turned(rocket) };
    await explaining(page, () => page.setInputFiles('#file', file));
    expect(await size()).toEqual([427, 640]);
  });

  test('by drop', async () => {
    await explaining(page, () => drop({ name: 'rocket.jpg', bytes: rocket, type: 'image/jpeg' }));
    expect(await size()).toEqual([640, 427]);
  });

  // Firefox without a screen has a clipboard for text alone.
  test.runIf(ENGINE === 'chromium')('by paste', async () => {
    await browser.context.grantPermissions(['clipboard-write']);
    const coffee = readFileSync(fileIn('samples/coffee.png')).toString('base64');
    await page.evaluate(async (encoded) => {
      const type = 'image/png';
      const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
      const blob = new Blob([bytes], { type });
      await navigator.clipboard.write([new ClipboardItem({ [type]: blob })]);
    }, coffee);
    await explaining(page, () => page.keyboard.press('Control+V'));
    expect(await size()).toEqual([600, 400]);
  });

  test('from the camera, or not, if one thinks better of it', async () => {
    await page.click('#snap');
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(await page.locator('#error').innerText()).toBe('');
    await page.click('#snap');
    await page.waitForFunction(
      () => document.querySelector<HTMLVideoElement>('#camera video')!.videoWidth > 0,
    );
    await explaining(page, () => page.getByRole('button', { name: 'Take the picture' }).click());
    expect((await saveReport(page)).picture.name).toBe('photo');
  });

  test('and one that is none is told, and changes nothing', async () => {
    const file = { name: 'broken.png', mimeType: 'image/png', buffer: Buffer.from('no picture') };
    const changed = await changedBy(page, async () => {
      await page.setInputFiles('#file', file);
      await page.waitForFunction(() => document.getElementById('error')!.textContent !== '');
    });
    expect(changed).toEqual([]);
    expect(await page.innerText('#error')).toContain('broken.png');
  });
});

describe('weights of one’s own', () => {
  const model = {
    name: 'mine.safetensors',
    mimeType: 'application/octet-stream',
    buffer: readFileSync(fileIn('models/tiny-resnet50.safetensors')),
  };

  test('explain the picture that is there, with the class names that come along', async () => {
    const labels = Array.from({ length: 200 }, (_, i) => `thing ${i}`);
    const names = {
      name: 'names.json',
      mimeType: 'application/json',
      buffer: Buffer.from(JSON.stringify(labels)),
    };
    const before = await saveReport(page);
    await explaining(page, () => page.setInputFiles('#weights', [model, names]));
    const after = await saveReport(page);
    expect(after.model.name).toBe('mine.safetensors');
    expect(after.top[0]).toEqual({
      ...before.top[0],
      label: `thing ${before.top[0]!.index}`,
    });
    expect(after.scales).toEqual(before.scales);
  });

  test('that are none leave the network as it was, and are told in one line', async () => {
    await page.setInputFiles('#weights', { ...model, buffer: model.buffer.subarray(0, 5000) });
    await page.waitForFunction(() => document.getElementById('error')!.textContent !== '');
    expect(await page.innerText('#error')).toContain('mine.safetensors');
    await explaining(page, () => page.getByRole('button', { name: 'Rocket' }).click());
    expect((await saveReport(page)).model.name).toBe('tiny ResNet-50');
  });
});

/** What the status line comes to say from now on, and whether the progress bar is there. */
function statusesFrom(page: Page): Promise<JSHandle<string[]>> {
  return page.evaluateHandle(() => {
    const told: string[] = [];
    const status = document.getElementById('status')!;
    const bar = document.getElementById('progress')!;
    const tell = (): void => {
      const text = `${status.textContent}${bar.checkVisibility() ? ', bar' : ''}`;
      if (status.textContent !== '') told.push(text);
    };
    new MutationObserver(tell).observe(status, { childList: true });
    return told;
  });
}

/** The same JPEG with an EXIF segment that says: turn it a quarter to the right. */
function turned(jpeg: Buffer): Buffer {
  const tiff = '4d4d002a00000008' + '0001' + '01120003000000010006' + '0000' + '00000000';
  const segment = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), Buffer.from(tiff, 'hex')]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(segment.length + 2);
  const start = jpeg.subarray(0, 2);
  return Buffer.concat([start, Buffer.from('ffe1', 'hex'), length, segment, jpeg.subarray(2)]);
}
