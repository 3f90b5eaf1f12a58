/** A thousand pictures in one gallery. */

import { beforeAll, expect, test } from 'vitest';
import type { GalleryEntry } from '../../../dist/node/gallery/gallery.js';
import { painted } from './driver.ts';
import { multiply } from './gallery-folder.ts';
import { focused, folder, names, open, page, samples, useGallery, WAIT } from './gallery-setup.ts';

const MANY = 1000;

useGallery();

let many: GalleryEntry[];
beforeAll(() => {
  many = multiply(folder, samples, MANY);
});

test('only those near the window have their files opened', async () => {
  await open({ entries: many });
  expect(await names()).toHaveLength(MANY);
  const filled = (): Promise<number> => page.locator('.tiles').count();
  expect(await filled()).toBeLessThan(50);
  const last = page.locator('.card').last();
  await last.scrollIntoViewIfNeeded();
  await last.locator('img').first().waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.tiles').length < 50);
  expect(await page.locator('.card').first().locator('img').count()).toBe(0);
});

test('an empty card is as high as a full one: nothing jumps while one scrolls', async () => {
  await open({ entries: many });
  const heights = (): Promise<number[]> =>
    page
      .locator('.card')
      .evaluateAll((cards) => cards.map((card) => card.getBoundingClientRect().height));
  await page.waitForFunction(() => document.querySelector('.card:not(.empty)'));
  await painted(page);
  const all = await heights();
  expect(Math.max(...all) - Math.min(...all)).toBeLessThan(1);
});

test('from the first picture the left arrow leads to the last, and its card is there for the focus', async () => {
  await open({ entries: many });
  await page.locator('button.tile').nth(1).click();
  await page.keyboard.press('ArrowLeft');
  expect(await page.innerText('#viewer-place')).toMatch(/1000 of 1000$/);
  await page.keyboard.press('Escape');
  await expect.poll(focused, WAIT).toBe(`Overlay, many/picture ${MANY}.png`);
  expect(await page.locator('.card').last().isVisible()).toBe(true);
});

test('paper has them all', async () => {
  await open({ entries: many.slice(0, 100) });
  const pdf = (await page.pdf()).toString('latin1');
  expect(pdf.match(/\/Subtype\s*\/Image\b/g)).toHaveLength(100);
  await page.waitForFunction(() => document.querySelectorAll('.tiles').length < 50);
});

test('measured and printed: the start, a letter in the search, another order', async () => {
  await open({ entries: many });
  const { ready, letters, orders } = await page.evaluate(async () => {
    // The script has run by then.
    const [{ domInteractive }] = performance.getEntriesByType('navigation') as [
      PerformanceNavigationTiming,
    ];
    const timesOf = async (id: string, values: string[]): Promise<number[]> => {
      const control = document.getElementById(id) as HTMLInputElement;
      const times: number[] = [];
      for (const value of values) {
        const begin = performance.now();
        control.value = value;
        control.dispatchEvent(new Event('input', { bubbles: true }));
        // A task after the frame's: the frame has been drawn.
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        times.push(performance.now() - begin);
      }
      return times;
    };
    const words = 'picture 12'.split('').map((_, i, all) => all.slice(0, i + 1).join(''));
    return {
      ready: domInteractive,
      letters: await timesOf('query', [...words, ...words.toReversed(), '']),
      orders: await timesOf('order', ['name', 'class', 'probability-down', 'given']),
    };
  });
  const most = (times: readonly number[]): string => Math.max(...times).toFixed(0);
  console.log(
    `${MANY} pictures: ${ready.toFixed(0)} ms until the page can be used; until the frame is drawn, median and most: a letter ${median(letters).toFixed(0)} and ${most(letters)} ms, another order ${median(orders).toFixed(0)} and ${most(orders)} ms`,
  );
  expect(letters).toHaveLength(21);
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
