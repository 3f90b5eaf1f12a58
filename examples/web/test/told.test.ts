/** What the page tells of itself: what is open, what is set, what is shown, and what went wrong. */

import { readFileSync } from 'node:fs';
import { colorize, toNdArray } from 'fastcam/viz';
import { describe, expect, test } from 'vitest';
import { saved } from './browser.ts';
import {
  explained,
  explaining,
  painted,
  passesTold,
  pixelsOf,
  saveReport,
  slide,
} from './driver.ts';
import { choose, drop, fileAt, refused } from './own-files.ts';
import { page, usePage } from './setup.ts';

const repository = new URL('../../../', import.meta.url);
const fileIn = (path: string): string => new URL(path, repository).pathname;
const json = (name: string, value: unknown) => ({
  name,
  bytes: Buffer.from(JSON.stringify(value)),
});
const BROKEN = { name: 'broken.safetensors', bytes: Buffer.from('no weights') };

usePage();

test('weights that fail leave the class of the picture that stays', async () => {
  await refused(BROKEN);
  expect(await page.getByRole('status').innerText()).toBe('Egyptian cat, 40 %');
});

test('the count of forward passes does not fall when a statistic returns', async () => {
  await explaining(page, () => page.selectOption('#statistic', 'gamma'));
  await page.selectOption('#statistic', 'smoe');
  await painted(page);
  expect(await passesTold(page)).toBe(2);
});

test.each([
  [['cat', 'dog'], 'names.json: class names alone; choose them together with the weights.'],
  [
    { 0: 'cat' },
    'names.json: expected class names as an array of strings, or an index of weights; got one object.',
  ],
  [
    ['cat', 7],
    'names.json: expected class names as an array of strings, or an index of weights; got an array whose item 1 is one number.',
  ],
  [
    { weight_map: null },
    'names.json: expected class names as an array of strings, or an index of weights; got one object.',
  ],
])('%j without weights: %s', async (value, message) => {
  expect(await refused(json('names.json', value))).toBe(message);
});

test('an error moves nothing, and goes when it is closed', async () => {
  const places = () =>
    page.evaluate(() =>
      [...document.querySelectorAll('header *, section *, main *, footer *')].map((found) => {
        const { x, y, width, height } = found.getBoundingClientRect();
        return [x, y, width, height].join();
      }),
    );
  const before = await places();
  await refused(BROKEN);
  expect(await places()).toEqual(before);
  await page.getByRole('button', { name: 'Close' }).click();
  expect(await page.isVisible('#error')).toBe(false);
});

test('without a normaliser maps have the colours of their own range, and the bar its ends', async () => {
  await page.selectOption('#normalizer', 'identity');
  await page.click('[data-map=scale2] .name');
  await painted(page);
  const { data, shape } = (await saveReport(page)).scales[1]!.raw;
  const [least, most] = [Math.min(...data), Math.max(...data)];
  const bar = await page.locator('.legend span').allInnerTexts();
  expect(bar.map(Number)).toEqual([least, most].map((value) => Number(value.toPrecision(3))));
  const unit = Float32Array.from(data, (value) => (value - least) / (most - least));
  const map = toNdArray(unit, [...shape]);
  const painting = await pixelsOf(page, '[data-map=scale2] canvas');
  expect(differing(painting, colorize(map).data)).toBeLessThan(0.01);
  // Nothing of them is one colour: LOVI and the maps of the class have their own ranges too.
  for (const name of ['combined', 'lovi', 'cam', 'fastcam', 'nonClass']) {
    expect(new Set(await pixelsOf(page, `[data-map=${name}] .frame canvas`)).size).toBeGreaterThan(
      50,
    );
  }
  await page.selectOption('#normalizer', 'gaussian');
  await painted(page);
  expect(await page.locator('.legend span').allInnerTexts()).toEqual(['0', '1']);
});

/** The share of the bytes that differ: numbers are saved rounded, which a step of a colour map may show. */
function differing(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).filter((byte, i) => byte !== b[i]).length / a.length;
}

test('which sample or file is open is shown', async () => {
  const pressed = () => page.locator('#samples [aria-pressed=true]').allInnerTexts();
  expect(await pressed()).toEqual(['Cat']);
  expect(await page.innerText('.shown')).toContain('over chelsea.png');
  await explaining(page, () => page.getByRole('button', { name: 'Rocket' }).click());
  expect(await pressed()).toEqual(['Rocket']);
  const bytes = readFileSync(fileIn('samples/coffee.png'));
  await explaining(page, () => drop({ name: 'rocket.jpg', bytes, type: 'image/png' }));
  expect(await pressed()).toEqual([]);
  expect(await page.innerText('.shown')).toContain('over rocket.jpg');
});

test('which preset of the weights is set is shown', async () => {
  const pressed = () => page.locator('[data-weights][aria-pressed=true]').allInnerTexts();
  expect(await pressed()).toEqual(['equal']);
  await page.click('[data-weights=prior]');
  await painted(page);
  expect(await pressed()).toEqual(['prior']);
  await slide(page, '[data-map=scale3] .weight input', 0.2);
  await painted(page);
  expect(await pressed()).toEqual([]);
});

test('another class is listed with its probability, named by its maps, and saved by its name', async () => {
  const teapot = page.getByRole('radio', { name: /^teapot \d+\.\d %$/ });
  expect(await teapot.count()).toBe(0);
  await page.selectOption('#other', { label: 'teapot' });
  expect(await teapot.isChecked()).toBe(true);
  await page.click('[data-map=nonClass] .name');
  await painted(page);
  expect(await page.innerText('.shown')).toContain('Non-class for teapot over chelsea.png');
  const { name } = await saved(page, () => page.click('#save-png'));
  expect(name).toBe('chelsea-non-class-teapot.png');
  await page.locator('#classes input').first().check();
  expect(await teapot.count()).toBe(0);
  expect(await page.inputValue('#other')).toBe('');
});

test('after a reload controls and maps agree', async () => {
  await page.selectOption('#colormap', 'jet');
  await page.selectOption('#normalizer', 'gamma');
  await page.selectOption('#cam', 'gradcam');
  await explaining(page, () => page.selectOption('#statistic', 'sd'));
  await slide(page, '#opacity', 0.9);
  await slide(page, '[data-map=scale3] .weight input', 0.2);
  await page.click('[data-map=lovi] .name');
  await page.selectOption('#other', { label: 'teapot' });
  await painted(page);
  await page.reload();
  await explained(page);
  const { settings } = await saveReport(page);
  for (const name of ['colormap', 'normalizer', 'cam', 'statistic', 'opacity'] as const) {
    expect(await page.inputValue(`#${name}`)).toBe(String(settings[name]));
  }
  const sliders = page.locator('.weight input');
  expect(
    await sliders.evaluateAll((all) => all.map((one) => Number((one as HTMLInputElement).value))),
  ).toEqual(settings.scaleWeights);
  expect(await page.inputValue('[name=shown]:checked')).toBe(settings.shown);
  expect(await page.inputValue('[name=class]:checked')).toBe(String(settings.target));
  expect(await page.inputValue('#other')).toBe('');
});

describe('weights of one’s own', () => {
  test('can be left for the bundled ones again', async () => {
    const back = page.getByRole('button', { name: 'Bundled model' });
    expect(await back.isVisible()).toBe(false);
    const model = fileAt(fileIn('models/tiny-resnet50.safetensors'), 'mine.safetensors');
    await explaining(page, () => choose(model));
    await explaining(page, () => back.click());
    const report = await saveReport(page);
    expect(report.model.name).toBe('tiny ResNet-50');
    expect(report.top[0]!.label).toBe('Egyptian cat');
    expect(await back.isVisible()).toBe(false);
  });
});
