import { attributionMap, COMPARED_METHODS, withGradients } from 'fastcam/gradients';
import { bundledModel, readPicture } from 'fastcam/node';
import { expect, test } from 'vitest';
import {
  digests,
  explained,
  explaining,
  overflow,
  painted,
  pixelsOf,
  violations,
} from './driver.ts';
import { page, usePage } from './setup.ts';

const repository = new URL('../../../', import.meta.url);
const fileIn = (path: string): string => new URL(path, repository).pathname;

usePage();

const titles = (): Promise<string[]> => page.locator('#compared .name').allInnerTexts();

/** Chooses a method, and waits for its map. */
async function choose(name: string): Promise<void> {
  await page.selectOption('#other-method', name);
  await page.waitForSelector(`[data-map="method-${name}"] :checked`);
  await explained(page);
}

test('a method that is chosen lies over the picture, with what it took', async () => {
  expect(await page.isVisible('#cancel-compare')).toBe(false);
  const before = (await digests(page))['stage'];
  await choose('gradient');
  expect(await titles()).toEqual(['Gradient']);
  expect(await page.innerText('#stage-name')).toBe('Gradient');
  expect((await digests(page))['stage']).not.toBe(before);
  expect(await page.innerText('#compared figcaption')).toMatch(
    /^\d+ ms, [\d.]+ × forward\n[\d.]+ MB$/,
  );
  expect(await page.isVisible('#cancel-compare')).toBe(false);
  expect(await overflow(page)).toBe(0);
  expect(await violations(page)).toEqual([]);
});

test('its values are those of the library in Node, to a hundredth', async () => {
  await choose('gradcam');
  const { net } = await bundledModel();
  const picture = await readPicture(fileIn('samples/chelsea.png'));
  const attribution = withGradients(net).attribute(picture, { method: 'gradcam' });
  const map = attributionMap(attribution);
  const box = (await page.locator('#probe').boundingBox())!;
  for (const [u, v] of [
    [0.3, 0.45],
    [0.72, 0.4],
  ] as const) {
    const [x, y] = [Math.round(box.x + u * box.width), Math.round(box.y + v * box.height)];
    await page.mouse.move(x, y);
    await painted(page);
    const column = Math.floor(((x - box.x) / box.width) * picture.width);
    const row = Math.floor(((y - box.y) / box.height) * picture.height);
    const value = Number(await page.innerText('[data-map=method-gradcam] .value'));
    expect(Math.abs(value - map.data[row * picture.width + column]!)).toBeLessThan(0.01);
  }
});

test('another class or picture takes the maps away, and the saliency lies over the picture again', async () => {
  await choose('guided-backprop');
  await page.locator('#classes label').nth(1).click();
  await painted(page);
  expect(await titles()).toEqual([]);
  expect(await page.innerText('#stage-name')).not.toBe('Guided Backprop');
  await page.locator('#classes label').nth(0).click();
  await painted(page);
  expect(await titles()).toEqual(['Guided Backprop']);
  await explaining(page, () => page.getByRole('button', { name: 'Coffee' }).click());
  expect(await titles()).toEqual([]);
});

test('all methods come one after the other, until somebody cancels', async () => {
  await page.click('#compare');
  await page.waitForSelector('[data-map="method-gradcam++"]');
  expect(await page.isVisible('#cancel-compare')).toBe(true);
  expect(await page.innerText('#status')).toBe('Comparing all methods…');
  await page.click('#cancel-compare');
  await explained(page);
  expect(await page.isVisible('#cancel-compare')).toBe(false);
  expect(await page.innerText('#error')).toBe('');
  const shown = await titles();
  const all = COMPARED_METHODS.map(({ title }) => title);
  expect(shown.length).toBeGreaterThanOrEqual(3);
  expect(shown).toEqual(all.slice(0, shown.length));
  expect(shown.length).toBeLessThan(all.length);
  await page.click('[data-map="method-gradcam++"] .name');
  await painted(page);
  expect(await page.innerText('#stage-name')).toBe('Grad-CAM++');
  const stage = await pixelsOf(page, '#stage');
  await page.click('[data-map=method-saliency] .name');
  await painted(page);
  expect(await page.innerText('#stage-name')).toBe('SMOE Scale');
  expect(await pixelsOf(page, '#stage')).not.toEqual(stage);
});
